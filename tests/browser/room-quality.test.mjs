// What a participant may send follows what the weakest of the others can bear: with packets that are really lost, in
// Chromium, without the page, for which this way would be no secure one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { bareParticipant } from './bare-participant.mjs';
import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';

let network, daemon, browser;

before(async () => {
  network = makeNetwork();
  daemon = await startDaemon(undefined, network);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  network?.remove();
});

/** Waits until the talker was told something by which this holds; gives all that it was told. */
async function untilTold(page, holds, seconds) {
  await page.waitForFunction(holds, undefined, { timeout: seconds * 1_000 });
  return page.evaluate(() => window.told);
}

test('a fifth of the packets lost at a guest: its talker is told to send less, and more again when that is over', async () => {
  const [talker, guest] = [await bareParticipant(browser, daemon, 'Talker', true), await bareParticipant(browser, daemon, 'Guest', false)];
  await guest.waitForFunction(async () => {
    const reports = [...(await window.peer.getStats()).values()];
    return reports.some(({ type, packetsReceived }) => type === 'inbound-rtp' && packetsReceived > 50);
  });
  assert.deepEqual(await talker.evaluate(() => window.told), []);
  network.lose(20);
  const down = await untilTold(talker, () => window.told.at(-1) <= 32_000, 60);
  assert.ok(down.every((bitrate, index) => index === 0 || bitrate < down[index - 1]), `${down}`);
  network.mend();
  const up = await untilTold(talker, () => window.told.at(-1) === 64_000, 90);
  assert.ok(up.length > down.length);
});
