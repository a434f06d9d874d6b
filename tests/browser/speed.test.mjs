// How long a person waits. Measured and printed; the bounds are generous, since the machine is shared:
// the medians of quiet runs are in docs/performance.md.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openPage, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { speak } from './sound.mjs';

const ROUNDS = 9;

const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** Milliseconds of the page's own last measure of this name. */
const measured = (page, name) =>
  page.evaluate((wanted) => performance.getEntriesByName(wanted).at(-1).duration, name);

/** Runs in the page: milliseconds from the next click to the first packet that is played after it. */
async function untilSound() {
  const sources = () => window.voiceRelay.connections.flatMap(({ peer }) => peer.getReceivers()).flatMap((receiver) => receiver.getSynchronizationSources());
  const clicked = new Promise((resolve) => window.addEventListener('click', () => resolve(performance.now()), { capture: true, once: true }));
  const before = sources().map(({ timestamp }) => timestamp);
  const began = await clicked;
  while (!sources().some(({ timestamp }) => !before.includes(timestamp))) await new Promise((resolve) => setTimeout(resolve, 2));
  return performance.now() - began;
}

test('from the click to being live, and to hearing', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  const [daemon, browser] = [await startDaemon(), await startBrowser(speak(folder))];
  try {
    const [talker, listener] = [await openPage(browser, daemon.url), await openPage(browser, daemon.url)];
    const [live, heard] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      await talker.click('#talk');
      await until(talker, 'talk', 'live');
      const sound = listener.evaluate(untilSound);
      await listener.click('#listen');
      await untilHeard(listener, 1);
      live.push(await measured(talker, 'talk-to-live'));
      heard.push(await sound);
      await listener.click('#listen');
      await talker.click('#talk');
      await until(talker, 'talk', 'idle');
    }
    context.diagnostic(`click to live: median ${median(live).toFixed(0)} ms of ${live.map(Math.round)}`);
    context.diagnostic(`click to hearing: median ${median(heard).toFixed(0)} ms of ${heard.map(Math.round)}`);
    assert.ok(median(live) < 1_000 && median(heard) < 1_000);
  } finally {
    await browser.close();
    await daemon.stop();
    rmSync(folder, { recursive: true });
  }
});
