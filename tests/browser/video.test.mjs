// Cameras and screens in rooms, in real browsers: pictures are told to move by what is drawn, and not by what is counted.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

/** Everything is back by then when the daemon was started anew. */
const BACK_MS = 3_000;

let browser, daemon;

before(async () => {
  daemon = await startDaemon();
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
});

afterEach(() => closeTabs(browser));

/** A tab in the room of all, whose camera has this many lines. */
async function join(name, { lines = 180, viewport = { width: 1000, height: 900 }, of = browser } = {}) {
  const page = await openPage(of, daemon.url, { name, listensTo: ['home'], viewport });
  await page.evaluate((height) => {
    const { mediaDevices } = navigator;
    const original = mediaDevices.getUserMedia.bind(mediaDevices);
    mediaDevices.getUserMedia = (constraints) => {
      if (constraints.video) Object.assign(constraints.video, { width: { ideal: (height * 16) / 9 }, height: { ideal: height } });
      return original(constraints);
    };
  }, lines);
  await page.goto(`${daemon.url}#/room/home`);
  await page.locator('room-page[data-stage=inside]').waitFor();
  return page;
}

const showCamera = async (page) => {
  await page.locator('#camera').click();
  await page.locator('video-stage[data-camera=live]').waitFor();
};

/** The tile of somebody's camera, or screen. */
const tile = (page, name, kind = 'camera') => page.locator(`video-tile[data-kind=${kind}]`, { hasText: name });

/** Waits until somebody's picture plays. */
const untilSeen = (page, name, kind = 'camera', timeout = 20_000) =>
  page.locator(`video-tile[data-kind=${kind}][data-state=playing]`, { hasText: name }).waitFor({ timeout });

/** How many different pictures are drawn in a second. */
const pictures = async (page, name, kind) =>
  tile(page, name, kind).evaluate(async (element) => {
    const video = element.shadowRoot.querySelector('video');
    const context = new OffscreenCanvas(64, 36).getContext('2d', { willReadFrequently: true });
    const seen = new Set();
    const end = performance.now() + 1_000;
    while (performance.now() < end) {
      await new Promise((resolve) => setTimeout(resolve, 30));
      context.drawImage(video, 0, 0, 64, 36);
      seen.add(context.getImageData(0, 0, 64, 36).data.reduce((sum, value, index) => (sum * 31 + value * (index % 7)) % 1_000_003, 0));
    }
    return seen.size;
  });

async function assertMoves(page, name, kind) {
  await untilSeen(page, name, kind);
  const count = await pictures(page, name, kind);
  assert.ok(count > 3, `${count} pictures of ${name} in a second`);
}

/** What the daemon has counted, by name. */
async function counted(name) {
  const text = await (await fetch(`${daemon.url}metrics`)).text();
  const line = text.split('\n').find((one) => one.startsWith(`voice_relay_${name}_total `) || one.startsWith(`voice_relay_${name} `));
  assert.ok(line, name);
  return Number(line.split(' ')[1]);
}

test('a camera is seen by the others as a moving picture, and goes off when its button says so', async () => {
  const [anna, ben] = [await join('Anna'), await join('Ben')];
  await showCamera(anna);
  await assertMoves(ben, 'Anna');
  await assertMoves(anna, 'Anna');
  await anna.locator('#camera').click();
  await tile(ben, 'Anna').waitFor({ state: 'detached' });
  assert.equal(await anna.locator('video-tile').count(), 0);
});

test('five cameras in a room are each seen by all others', async () => {
  const names = ['Anna', 'Ben', 'Cora', 'Dan', 'Eva'];
  const viewer = await join('Finn', { viewport: { width: 1600, height: 1200 } });
  const pages = [];
  for (const name of names) {
    const page = await join(name, { viewport: { width: 1600, height: 1200 } });
    await showCamera(page);
    pages.push([name, page]);
  }
  for (const name of names) await assertMoves(viewer, name);
  for (const [own, page] of pages) {
    for (const name of names.filter((other) => other !== own)) await assertMoves(page, name);
  }
});

test('a tile that nobody can see costs no packet, and its sender nothing either', async () => {
  const [anna, ben] = [await join('Anna'), await join('Ben')];
  await showCamera(anna);
  await untilSeen(ben, 'Anna');
  await ben.locator('#voice-only').click();
  await tile(ben, 'Anna').waitFor({ state: 'detached' });
  await ben.waitForTimeout(500);
  const [forwarded, before] = [await counted('video_packets_forwarded'), await counted('video_packets_in')];
  await ben.waitForTimeout(1_000);
  assert.equal(await counted('video_packets_forwarded'), forwarded);
  assert.ok((await counted('video_packets_in')) > before, 'it may be wanted again in a moment');
  // After five seconds its sender knows.
  await anna.waitForFunction(() => document.querySelector('house-page') !== null);
  await ben.waitForTimeout(6_000);
  const silent = await counted('video_packets_in');
  await ben.waitForTimeout(1_000);
  assert.ok((await counted('video_packets_in')) - silent < 3, 'not even the smallest layer');
  await ben.locator('#voice-only').click();
  await assertMoves(ben, 'Anna');
});

test('in the speaker view whoever talks is large, and stays so while they do', async () => {
  const [anna, ben, cora] = [await join('Anna'), await join('Ben'), await join('Cora')];
  for (const page of [anna, cora]) await showCamera(page);
  for (const name of ['Anna', 'Cora']) await untilSeen(ben, name);
  await ben.locator('#layout').click();
  const large = (name) => ben.locator('video-tile.large', { hasText: name }).waitFor();
  const talk = async (page) => {
    await page.locator('room-page talk-button #talk').click();
    await page.locator('room-page[data-talk=live]').waitFor();
  };
  await talk(cora);
  await large('Cora');
  await cora.locator('room-page talk-button #talk').click();
  await talk(anna);
  await large('Anna');
  await assertMoves(ben, 'Anna');
});

test('a screen is shown beside cameras', async () => {
  const [anna, ben] = [await join('Anna'), await join('Ben')];
  await showCamera(anna);
  await anna.locator('#screen').click();
  await anna.locator('video-stage[data-screen=live]').waitFor();
  await untilSeen(ben, 'Anna', 'screen');
  await assertMoves(ben, 'Anna', 'camera');
  await anna.locator('#screen').click();
  await tile(ben, 'Anna', 'screen').waitFor({ state: 'detached' });
  await assertMoves(ben, 'Anna', 'camera');
});

test('who may not open the camera is told why, and goes on talking', async () => {
  const strict = await startBrowser(null, ['--deny-permission-prompts']);
  try {
    const anna = await join('Anna', { of: strict });
    await anna.evaluate(() => {
      const { mediaDevices } = navigator;
      const original = mediaDevices.getUserMedia.bind(mediaDevices);
      mediaDevices.getUserMedia = (constraints) =>
        constraints.video ? Promise.reject(new DOMException('Permission denied', 'NotAllowedError')) : original(constraints);
    });
    await anna.locator('room-page talk-button #talk').click();
    await anna.locator('room-page[data-talk=live]').waitFor();
    await anna.locator('#camera').click();
    await anna.locator('#video-problem', { hasText: 'may not use the camera' }).waitFor();
    assert.equal(await anna.locator('room-page[data-talk=live]').count(), 1);
  } finally {
    await strict.close();
  }
});

test('after the daemon was started anew all pictures are back', async () => {
  const [anna, ben] = [await join('Anna'), await join('Ben')];
  for (const page of [anna, ben]) await showCamera(page);
  await untilSeen(ben, 'Anna');
  await untilSeen(anna, 'Ben');
  const stages = [anna, ben].map((page) => page.locator('video-stage'));
  for (const stage of stages) await stage.evaluate(({ roomVideo }) => { roomVideo.peer.isFormer = true; });
  await daemon.stop('SIGKILL');
  daemon = await startDaemon(daemon.ports);
  const began = Date.now();
  for (const stage of stages) {
    await stage.evaluate(async (element) => {
      while (!element.roomVideo?.peer || element.roomVideo.peer.isFormer) await new Promise((resolve) => setTimeout(resolve, 20));
    });
  }
  await Promise.all([untilSeen(ben, 'Anna'), untilSeen(anna, 'Ben')]);
  const took = Date.now() - began;
  console.log(`# back after ${took} ms`);
  await assertMoves(ben, 'Anna');
  await assertMoves(anna, 'Ben');
  assert.ok(took < BACK_MS, `${took} ms`);
});
