// Real Chromium with a file for a microphone.

import assert from 'node:assert/strict';

import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--use-fake-ui-for-media-stream',
  '--use-fake-device-for-media-stream',
  '--allow-loopback-in-peer-connection',
  '--autoplay-policy=no-user-gesture-required',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
];

/**
 * A browser whose microphone hears this WAV file, over and over; with flags of its own, which win,
 * in this environment.
 */
export async function startBrowser(speech, flags = [], env = process.env, executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium') {
  const file = speech ? [`--use-file-for-fake-audio-capture=${speech}`] : [];
  return chromium.launch({ executablePath, args: [...FLAGS, ...file, ...flags], env });
}

/** A browser with the devices that this environment names, microphones that ask first, and sound. */
export async function startRealBrowser(env) {
  const args = FLAGS.filter((flag) => !flag.startsWith('--use-fake'));
  const executablePath = process.env.CHROMIUM ?? '/usr/bin/chromium';
  return chromium.launch({ executablePath, args, env, ignoreDefaultArgs: ['--mute-audio'] });
}

/** The page of the house in a tab of its own, of somebody who has never been here; fails the test when the page throws. */
export async function visitPage(browser, url, options = {}) {
  return load(await (await browser.newContext(options)).newPage(), url);
}

/** The same, of somebody who has joined before, by this name, and listens to these rooms. */
export async function openPage(browser, url, { name = '', listensTo = [], ...options } = {}) {
  const page = await (await browser.newContext(options)).newPage();
  await page.addInitScript((kept) => {
    if (!localStorage.getItem('voice-relay')) localStorage.setItem('voice-relay', kept);
  }, JSON.stringify({ name, joined: true, listensTo }));
  return load(page, url);
}

/** Tells the page where tests find the session of the room whose page is shown. */
export async function knowRoom(page) {
  await page.addInitScript(() => {
    window.room = () => window.voiceRelay.sessionOf(location.hash.replace('#/room/', ''));
  });
}

async function load(page, url) {
  await knowRoom(page);
  page.errors = [];
  page.on('pageerror', (error) => page.errors.push(error));
  await page.goto(url);
  await until(page, 'connection', 'up');
  return page;
}

/** Closes every tab; fails the test when a page has thrown. */
export async function closeTabs(browser) {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) assert.deepEqual(page.errors, []);
    await context.close();
  }
}

/** Waits until the page says so: one of its data attributes. */
export async function until(page, attribute, value, timeout = 15_000) {
  await page.locator(`house-page[data-${attribute}="${value}"]`).waitFor({ state: 'attached', timeout });
}

/** Waits until this many people are heard. */
export async function untilHeard(page, count, timeout = 15_000) {
  await page.waitForFunction(
    (wanted) => !window.voiceRelay.view.blocked && window.voiceRelay.view.heard.length === wanted,
    count,
    { timeout, polling: 20 },
  );
}

/** Records what the page plays of the people it hears, in seconds of samples at 48 kHz: one array for each of them. */
export async function record(page, seconds) {
  // Somebody may be heard of a moment before their sound is there; and there may be nobody.
  await page
    .waitForFunction(
      () => window.voiceRelay.rooms.some(({ membership, sounds }) => membership.state?.slots.some((slot) => sounds.some(({ mid }) => mid === slot.mid))),
      undefined,
      { timeout: 2_000 },
    )
    .catch(() => undefined);
  const recordings = await page.evaluate(async (length) => {
    const context = new AudioContext({ sampleRate: 48_000 });
    // A worklet would need code from an address that the page's own policy forbids.
    const record = ({ track }) =>
      new Promise((resolve) => {
        const samples = [];
        const tap = context.createScriptProcessor(4_096, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => {
          for (const sample of inputBuffer.getChannelData(0)) samples.push(Math.round(sample * 32_767));
          if (samples.length >= length * context.sampleRate) resolve(samples);
        };
        context.createMediaStreamSource(new MediaStream([track])).connect(tap).connect(context.destination);
      });
    const taken = window.voiceRelay.rooms.flatMap(({ membership, sounds }) => {
      const slots = membership.state?.slots.map(({ mid }) => mid) ?? [];
      return sounds.filter(({ mid }) => slots.includes(mid));
    });
    const recorded = await Promise.all(taken.map(record));
    await context.close();
    return recorded;
  }, seconds);
  return recordings.map((samples) => Float64Array.from(samples));
}

/** Whether the browser itself says that a microphone is captured. */
export async function capturesMicrophone(page) {
  return page.evaluate(() => window.voiceRelay.microphoneTrack?.readyState === 'live');
}
