// Cameras and screens in rooms, in real browsers: pictures are told to move by what is drawn, and not by what is counted.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

let browser, daemon;

before(async () => {
  daemon = await startDaemon();
  browser = await startBrowser(null, ['--auto-select-desktop-capture-source=Entire screen', '--auto-accept-this-tab-capture']);
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
});

afterEach(() => closeTabs(browser));

/** A tab in the room of all, whose camera has this many lines. */
async function join(name, { lines = 720, viewport = { width: 1000, height: 900 } } = {}) {
  const page = await openPage(browser, daemon.url, { name, listensTo: ['home'], viewport, permissions: ['camera', 'microphone'] });
  await page.evaluate((height) => {
    const { mediaDevices } = navigator;
    const original = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (constraints) => {
      if (constraints.video) Object.assign(constraints.video, { width: { ideal: (height * 16) / 9 }, height: { ideal: height } });
      return original(constraints);
    };
  }, lines);
  await page.goto(`${daemon.url}#/room/home`);
  await page.locator('#camera').waitFor();
  return page;
}

const showCamera = async (page) => {
  await page.locator('#camera').click();
  await page.locator('video-stage[data-camera=live]').waitFor();
};

/** The tile of somebody's camera, or screen. */
const tile = (page, name, kind = 'camera') => page.locator(`video-tile[data-kind=${kind}]`, { hasText: name });

/** Waits until somebody's picture plays. */
const untilSeen = (page, name, kind) =>
  page.locator(`video-tile[data-kind=${kind ?? 'camera'}][data-state=playing]`, { hasText: name }).waitFor({ timeout: 15_000 });

/** How many different pictures are drawn in a second, and how many lines they have. */
const pictures = async (page, name, kind) =>
  tile(page, name, kind).evaluate(async (element) => {
    const video = element.shadowRoot.querySelector('video');
    const canvas = new OffscreenCanvas(64, 36);
    const context = canvas.getContext('2d', { willReadFrequently: true });
    const seen = new Set();
    const end = performance.now() + 1_000;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      context.drawImage(video, 0, 0, 64, 36);
      seen.add(context.getImageData(0, 0, 64, 36).data.reduce((sum, value, index) => (sum * 31 + value * (index % 7)) % 1_000_003, 0));
    }
    return { moving: seen.size, lines: video.videoHeight };
  });

/** What the daemon has counted, by name. */
async function counted(name) {
  const text = await (await fetch(`${daemon.url}metrics`)).text();
  return Number(new RegExp(`^${name} ([0-9.e+]+)$`, 'm').exec(text)?.[1] ?? NaN);
}

test('a camera is seen by the others as a moving picture, and goes off when its button says so', async () => {
  const [anna, ben] = [await join('Anna'), await join('Ben')];
  await showCamera(anna);
  await untilSeen(ben, 'Anna');
  const { moving } = await pictures(ben, 'Anna');
  assert.ok(moving > 5, `${moving} pictures`);
  const own = await pictures(anna, 'Anna');
  assert.ok(own.moving > 5, 'and by herself');
  await anna.locator('#camera').click();
  await tile(ben, 'Anna').waitFor({ state: 'detached' });
  assert.equal(await anna.locator('video-tile').count(), 0);
});
