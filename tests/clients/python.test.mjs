// Clients from PyPI: the FFmpeg of PyAV by its own WHIP muxer, and aiortc.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { assertHeard, assertNobodySpeaks, assertTone, sha256, startHouse, wantedFile } from './house.mjs';

const PYTHON = process.env.CLIENTS_PYTHON ?? fileURLToPath(new URL('../../target/clients/bin/python', import.meta.url));

let house;

before(async () => {
  house = await startHouse(3_000_000);
});

after(() => house?.stop());

/** Runs a script until it ends, or the test does; its input ends when `endInput` is called. */
function run(context, script, ...words) {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child = spawn(PYTHON, [path, ...words.map(String)], { stdio: ['pipe', 'pipe', 'inherit'] });
  context.after(() => child.kill());
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  const done = new Promise((resolve) => child.once('close', resolve)).then((code) => {
    assert.equal(code, 0, `${script} ${words.join(' ')}`);
    return Buffer.concat(chunks);
  });
  return { done, endInput: () => child.stdin.end() };
}

test('what FFmpeg sends by its own WHIP muxer is heard, and its end is noticed', async (context) => {
  const sends = run(context, 'send.py', `${house.url}whip/home`, 730, 8);
  await assertHeard(context, house, 730);
  await sends.done;
  await assertNobodySpeaks(house);
});

test('what aiortc sends is heard, and it hears it', async (context) => {
  const sends = run(context, 'peer.py', 'send', `${house.url}whip/home`, 850);
  await assertHeard(context, house, 850);
  const heard = await run(context, 'peer.py', 'hear', `${house.url}whep/latest`).done;
  assertTone(heard.subarray(heard.length / 2), 850);
  sends.endInput();
  await sends.done;
  await assertNobodySpeaks(house);
});

test('a file comes whole to aiortc, however often it is cut', async (context) => {
  const wanted = await wantedFile(house);
  const got = await run(context, 'peer.py', 'fetch', `${house.url}api/offer`, wanted.id, 13).done;
  assert.equal(sha256(got), wanted.sha256);
});
