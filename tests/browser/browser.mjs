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

/** The page of the relay in a tab of its own; fails the test when the page throws. */
export async function openPage(browser, url, options = {}) {
  const page = await (await browser.newContext(options)).newPage();
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
  await page.locator(`voice-relay-page[data-${attribute}="${value}"]`).waitFor({ state: 'attached', timeout });
}

/** Waits until this many streams are heard. */
export async function untilHeard(page, count, timeout = 15_000) {
  await page.waitForFunction(
    (wanted) => window.voiceRelay.view.streams.filter((stream) => stream.state === 'playing').length === wanted,
    count,
    { timeout, polling: 20 },
  );
}

/** Records what the page plays of its streams, in seconds of samples at 48 kHz: one array a stream. */
export async function record(page, seconds) {
  const recordings = await page.evaluate(async (length) => {
    const context = new AudioContext({ sampleRate: 48_000 });
    // A worklet would need code from an address that the page's own policy forbids.
    const record = (hearer) =>
      new Promise((resolve) => {
        const samples = [];
        const tap = context.createScriptProcessor(4_096, 1, 1);
        tap.onaudioprocess = ({ inputBuffer }) => {
          for (const sample of inputBuffer.getChannelData(0)) samples.push(Math.round(sample * 32_767));
          if (samples.length >= length * context.sampleRate) resolve(samples);
        };
        context.createMediaStreamSource(hearer.audio.srcObject).connect(tap).connect(context.destination);
      });
    const recorded = await Promise.all([...window.voiceRelay.hearers.values()].map(record));
    await context.close();
    return recorded;
  }, seconds);
  return recordings.map((samples) => Float64Array.from(samples));
}

/** Whether the browser itself says that a microphone is captured. */
export async function capturesMicrophone(page) {
  return page.evaluate(() => window.voiceRelay.microphoneTrack?.readyState === 'live');
}
