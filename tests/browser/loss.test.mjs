// What a listener in Chromium hears of a voice when packets are really lost on its way.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { bareParticipant } from './bare-participant.mjs';
import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';

/** So long a jitter buffer has to get used to a network, and so long it is watched then. */
const [SETTLES, WATCHED] = [5_000, 20_000];

let network, daemon, folder;
const browsers = [];

before(async () => {
  // The daemon and the talker are on one machine, the listener on another: what is lost is lost between these.
  network = makeNetwork({ here: '10.213.99.1', moved: '10.213.99.3', there: '10.213.99.2' });
  daemon = await startDaemon(undefined, network);
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-loss-'));
  const there = join(folder, 'chromium');
  writeFileSync(there, `#!/bin/sh\nexec ${network.enter.join(' ')} ${process.env.CHROMIUM ?? '/usr/bin/chromium'} "$@"\n`, { mode: 0o755 });
  browsers.push(await startBrowser(undefined, [], process.env, there), await startBrowser());
});

after(async () => {
  for (const browser of browsers) await browser.close();
  await daemon?.stop();
  network?.remove();
  if (folder) rmSync(folder, { recursive: true });
});

/** What the listener's browser counts of the one voice that it hears. */
const heard = (page) =>
  page.evaluate(async () => {
    const reports = [...(await window.peer.getStats()).values()];
    return reports.find(({ type, packetsReceived }) => type === 'inbound-rtp' && packetsReceived > 0);
  });

test('of a voice hardly anything is made up by the listener, however many packets its network loses', async () => {
  await bareParticipant(browsers[0], daemon, 'Talker', true);
  const listener = await bareParticipant(browsers[1], daemon, 'Listener', false);
  await listener.waitForFunction(async () => [...(await window.peer.getStats()).values()].some((report) => report.packetsReceived > 50));
  for (const percent of [5, 10]) {
    network.lose(percent);
    await sleep(SETTLES);
    const [lost, before] = [network.lost(), await heard(listener)];
    await sleep(WATCHED);
    const after = await heard(listener);
    assert.ok(network.lost() - lost > 20, 'the network loses packets');
    const concealed = (100 * (after.concealedSamples - before.concealedSamples)) / (after.totalSamplesReceived - before.totalSamplesReceived);
    const delay = (after.jitterBufferDelay - before.jitterBufferDelay) / (after.jitterBufferEmittedCount - before.jitterBufferEmittedCount);
    console.log(`${percent} % lost: ${concealed.toFixed(2)} % of the samples made up (goal 1), ${Math.round(1000 * delay)} ms in the jitter buffer`);
    assert.ok(after.packetsLost - before.packetsLost <= 5, `${after.packetsLost - before.packetsLost} packets never came`);
    assert.ok(concealed < 2, `${concealed} %`);
    network.mend();
  }
});
