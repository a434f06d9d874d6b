// What happens to people's devices and networks, and that talking and listening come back by themselves:
// each for real, in Chromium, with the daemon, and with the microphone asked for its own state.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, describe, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';

import { capturesMicrophone, openPage, record, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';
import { beep, powerAt } from './sound.mjs';

const [TONE, OTHER_TONE] = [700, 1_700];

let folder, browser, daemon;

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
});

after(() => {
  rmSync(folder, { recursive: true });
});

/** Two pages, one talking, one hearing it. */
async function conversation(url = daemon.url) {
  const [talker, listener] = [await openPage(browser, url), await openPage(browser, url)];
  await listener.click('#listen');
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  await untilHeard(listener, 1);
  return { talker, listener };
}

async function assertHearsTone(listener) {
  const [heard] = await record(listener, 2);
  assert.ok(powerAt(TONE, heard) > 10 * powerAt(OTHER_TONE, heard), 'the tone is not heard');
}

const ownStream = (page) => page.evaluate(() => window.voiceRelay.view.streams.find(({ own }) => own)?.id);

/** Waits until packets arrive at the page now, whatever it says of itself; gives how long that took. */
async function untilSound(page, timeout) {
  const began = performance.now();
  const count = () =>
    page.evaluate(async () => {
      const reports = await Promise.all(window.voiceRelay.connections.map(({ peer }) => peer.getStats()));
      const inbound = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'inbound-rtp');
      return Object.fromEntries(inbound.map(({ ssrc, packetsReceived }) => [ssrc, packetsReceived]));
    });
  let former = await count();
  for (;;) {
    assert.ok(performance.now() - began < timeout, `no sound within ${timeout} ms`);
    await page.waitForTimeout(200);
    const now = await count();
    if (Object.entries(now).some(([ssrc, packets]) => packets > (former[ssrc] ?? packets))) break;
    former = now;
  }
  return performance.now() - began;
}

/** Waits for the talker to be live and the listener to hear it; gives how long that took. */
async function untilBack({ talker, listener }, timeout) {
  const began = performance.now();
  await Promise.all([until(talker, 'talk', 'live', timeout), untilHeard(listener, 1, timeout)]);
  return performance.now() - began;
}

/** The microphone is off as soon as the person says so. */
async function assertStops(talker) {
  const track = await talker.evaluateHandle(() => window.voiceRelay.microphoneTrack);
  await talker.evaluate(() => window.voiceRelay.stopTalking());
  assert.equal(await track.evaluate(({ readyState }) => readyState), 'ended');
  await until(talker, 'mic', 'off');
}

async function closePages() {
  for (const context of browser.contexts()) {
    for (const page of context.pages()) assert.deepEqual(page.errors, []);
    await context.close();
  }
}

describe('a network', () => {
  let network;

  beforeEach(async () => {
    network = makeNetwork();
    daemon = await startDaemon(undefined, network);
    const secure = `--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`;
    browser = await startBrowser(beep(folder, TONE), [secure]);
  });

  afterEach(async () => {
    await closePages();
    await browser.close();
    await daemon.stop();
    network.remove();
  });

  test('that is cut for ten seconds: talking and listening go on after it', async (context) => {
    const pages = await conversation();
    const over = setTimeout(10_000);
    network.cut();
    await until(pages.talker, 'talk', 'reconnecting', 10_000);
    await until(pages.listener, 'connection', 'down', 10_000);
    assert.equal(await capturesMicrophone(pages.talker), true);
    assert.equal(await pages.talker.evaluate(() => window.voiceRelay.view.microphone), 'live');
    await over;
    network.mend();
    context.diagnostic(`back after ${(await untilBack(pages, 8_000)).toFixed(0)} ms`);
    await assertHearsTone(pages.listener);
    await assertStops(pages.talker);
  });

  test('that is cut for two seconds: the same stream goes on', async () => {
    const pages = await conversation();
    const stream = await ownStream(pages.talker);
    network.cut();
    await pages.talker.waitForTimeout(2_000);
    network.mend();
    await pages.talker.waitForTimeout(3_000);
    await untilBack(pages, 3_000);
    assert.equal(await ownStream(pages.talker), stream);
    await assertHearsTone(pages.listener);
  });

  test('where this device gets another address: talking and listening go on', async (context) => {
    const pages = await conversation();
    network.move();
    context.diagnostic(`back ${(await untilSound(pages.listener, 12_000)).toFixed(0)} ms after the move`);
    await untilBack(pages, 1_000);
    await assertHearsTone(pages.listener);
    await assertStops(pages.talker);
  });
});
