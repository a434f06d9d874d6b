// Files over a data channel, in real Chromium: whole, at any size, with loss, and after breaks. With LONG=1 also half a
// gigabyte with loss, which takes a quarter of an hour and more: `make files-long`.

import assert from 'node:assert/strict';
import { createHash, randomFillSync } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';

const CHUNK = 65_536;

/** Chunks that are hashed at once, so that no page need hold a whole file. */
const BLOCK = 64;

const SIZES = { small: 5_000, medium: 5_000_000, large: 500_000_000 };

/** Unlike those of other tests, which may run beside the long one. */
const ADDRESSES = { here: '10.213.98.1', moved: '10.213.98.3', there: '10.213.98.2' };

let folder, browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-files-'));
  for (const [name, size] of Object.entries(SIZES)) makeWav(join(folder, `${name}.wav`), size);
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

/** A WAV file of noise, of so many bytes. */
function makeWav(path, size) {
  const head = Buffer.alloc(44);
  head.write('RIFF', 0);
  head.writeUInt32LE(size - 8, 4);
  head.write('WAVEfmt ', 8);
  [16, 1 | (1 << 16), 48_000, 96_000, 2 | (16 << 16)].forEach((field, index) => head.writeUInt32LE(field, 16 + index * 4));
  head.write('data', 36);
  head.writeUInt32LE(size - 44, 40);
  const file = openSync(path, 'w');
  writeSync(file, head);
  const noise = Buffer.alloc(1 << 22);
  for (let left = size - 44; left > 0; left -= noise.length) {
    randomFillSync(noise);
    writeSync(file, noise, 0, Math.min(left, noise.length));
  }
  closeSync(file);
}

/** The hashes of a file's blocks. */
function hashesOf(path) {
  const [file, block, hashes] = [openSync(path), Buffer.alloc(CHUNK * BLOCK), []];
  for (let length; (length = readSync(file, block)) > 0; ) {
    hashes.push(createHash('sha256').update(block.subarray(0, length)).digest('hex'));
  }
  closeSync(file);
  return hashes;
}

/** A daemon that serves the folder, and a page of it without our own client in it. */
async function serve(network) {
  const flags = ['--tls-mode=off', `--files-folders=${folder}`, `--data-dir=${join(folder, '.data')}`, '--files-default=small.wav'];
  const daemon = await startDaemon(undefined, network, flags);
  const ids = {};
  while (Object.keys(ids).length < Object.keys(SIZES).length) {
    const { files } = await (await fetch(`${daemon.url}api/files`)).json();
    for (const { id, name } of files) ids[name.split('/').at(-1).split('.')[0]] = id;
  }
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${daemon.url}health`);
  return { daemon, ids, page };
}

/**
 * Runs in a page: receives a file from a chunk on, up to its end or to another chunk. Gives what was told of it, the
 * hashes of its blocks, and how long everything took.
 */
async function receive({ wish, upTo = Infinity, CHUNK, BLOCK }) {
  const peer = new RTCPeerConnection();
  const channel = peer.createDataChannel('audioStream');
  channel.binaryType = 'arraybuffer';
  const result = { texts: [], hashes: [], chunks: 0, bytes: 0 };
  const [block, hashing] = [new Uint8Array(CHUNK * BLOCK), []];
  let filled = 0;
  const flush = () => {
    hashing.push(crypto.subtle.digest('SHA-256', block.slice(0, filled)));
    filled = 0;
  };
  const began = performance.now();
  const ended = new Promise((resolve) => {
    channel.onopen = () => {
      result.opened = performance.now() - began;
      if (wish) channel.send(JSON.stringify(wish));
    };
    channel.onmessage = ({ data }) => {
      if (typeof data === 'string') {
        const text = JSON.parse(data);
        result.texts.push(text);
        if (text.type === 'complete' || text.type === 'error') resolve();
        return;
      }
      result.first ??= performance.now() - began;
      block.set(new Uint8Array(data), filled);
      filled += data.byteLength;
      result.chunks += 1;
      result.bytes += data.byteLength;
      if (filled === block.length) flush();
      if (result.chunks >= upTo) resolve();
    };
    channel.onclose = resolve;
  });
  const offer = await peer.createOffer();
  await peer.setLocalDescription(offer);
  const body = JSON.stringify({ offer: peer.localDescription, clientId: 'test' });
  const reply = await fetch('/api/offer', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
  await peer.setRemoteDescription((await reply.json()).answer);
  await ended;
  channel.onmessage = null;
  result.took = performance.now() - began;
  peer.close();
  if (filled) flush();
  const hex = (hash) => Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('');
  result.hashes = (await Promise.all(hashing)).map(hex);
  return result;
}

const get = (page, wish, upTo) => page.evaluate(receive, { wish, upTo, CHUNK, BLOCK });

/** Memory that the program has filled itself, in megabytes. */
function memory(pid) {
  const [, kilobytes] = /RssAnon:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'));
  return Number(kilobytes) / 1_024;
}

/** Receives half a gigabyte, which must come whole and cost the daemon no memory. */
async function getLarge({ daemon, ids, page }) {
  await get(page, { type: 'play', file: ids.medium });
  const before = memory(daemon.pid);
  let [least, most] = [before, before];
  const watch = setInterval(() => {
    const now = memory(daemon.pid);
    [least, most] = [Math.min(least, now), Math.max(most, now)];
  }, 50);
  const got = await get(page, { type: 'play', file: ids.large });
  clearInterval(watch);
  assertWhole('large', got);
  console.log(`memory: ${before.toFixed(1)} MB before, ${least.toFixed(1)} to ${most.toFixed(1)} MB meanwhile`);
  assert.ok(most - least < 8, `memory went from ${least} to ${most} MB`);
}

/** The file came whole; says how fast. */
function assertWhole(name, got) {
  const { size } = statSync(join(folder, `${name}.wav`));
  const [metadata] = got.texts;
  assert.equal(metadata.type, 'metadata');
  assert.equal(metadata.totalSize, size);
  assert.equal(got.texts.at(-1).type, 'complete');
  assert.equal(got.bytes, size);
  assert.deepEqual(got.hashes, hashesOf(join(folder, `${name}.wav`)));
  const took = got.took - got.opened;
  console.log(`${name}: ${(took / 1_000).toFixed(1)} s, ${((size * 8) / took / 1_000).toPrecision(3)} Mbit/s, first chunk after ${got.first.toFixed(0)} ms (channel open after ${got.opened.toFixed(0)} ms)`);
}

describe('on the loopback', () => {
  let daemon, page, ids;

  before(async () => ({ daemon, page, ids } = await serve()));

  after(async () => {
    await page.context().close();
    await daemon.stop();
  });

  test('a page that says nothing gets the default file', async () => {
    const got = await get(page);
    assert.equal(got.texts[0].file, ids.small);
    assertWhole('small', got);
  });

  for (const name of ['small', 'medium']) {
    test(`${name} comes whole, and its first chunk at once`, async () => {
      const got = await get(page, { type: 'play', file: ids[name] });
      assertWhole(name, got);
      // The goal is a tenth of a second; whoever waited for a timeout would need several.
      assert.ok(got.first - got.opened < 1_000, `first chunk ${got.first - got.opened} ms after the channel was open`);
    });
  }

  // The rate, which it prints, says as much of the machine as of the relay; the goal is 100 Mbit/s.
  test('half a gigabyte comes whole, fast, and costs the daemon no memory', () => getLarge({ daemon, ids, page }));

  test('a transfer that is cut at 30, 60 and 90 % goes on and ends whole', async () => {
    const total = Math.ceil(SIZES.medium / CHUNK);
    let [from, known, hashed] = [0, {}, []];
    // In blocks of its own each time: what is compared is every byte of the parts.
    for (const share of [0.3, 0.6, 0.9, 1]) {
      const upTo = Math.floor(total * share) - from;
      const got = await get(page, { type: 'resume', file: ids.medium, fromChunk: from, ...known }, share < 1 ? upTo : undefined);
      const [metadata] = got.texts;
      assert.equal(metadata.fromChunk, from);
      known = { sha256: metadata.sha256 };
      hashed.push({ from, bytes: got.bytes, hash: got.hashes });
      from += got.chunks;
    }
    assert.equal(from, total);
    const file = readFileSync(join(folder, 'medium.wav'));
    for (const { from: chunk, bytes, hash } of hashed) {
      const part = file.subarray(chunk * CHUNK, chunk * CHUNK + bytes);
      const blocks = [];
      for (let at = 0; at < part.length; at += CHUNK * BLOCK) {
        blocks.push(createHash('sha256').update(part.subarray(at, at + CHUNK * BLOCK)).digest('hex'));
      }
      assert.deepEqual(hash, blocks);
    }
  });

  test('a file that was replaced between two connections is told and comes anew', async () => {
    const first = await get(page, { type: 'play', file: ids.small });
    const { sha256 } = first.texts[0];
    makeWav(join(folder, '.new'), SIZES.small);
    renameSync(join(folder, '.new'), join(folder, 'small.wav'));
    // The error is the end of what is received here; that the new file follows is shown in tests/files.rs.
    const got = await get(page, { type: 'resume', file: ids.small, fromChunk: 1, sha256 });
    assert.equal(got.texts[0].code, 'changed');
  });
});

describe('in a network that loses one datagram of twenty', () => {
  let network, daemon, ids, lossy, page;

  before(async () => {
    network = makeNetwork(ADDRESSES);
    ({ daemon, ids } = await serve(network));
    const secure = `--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`;
    lossy = await startBrowser(undefined, [secure]);
    page = await (await lossy.newContext()).newPage();
    await page.goto(`${daemon.url}health`);
    network.lose(5);
  });

  after(async () => {
    console.log(`${network.lost()} datagrams were lost`);
    await lossy.close();
    await daemon.stop();
    network.remove();
  });

  for (const name of ['small', 'medium']) {
    test(`${name} comes whole`, { timeout: 180_000 }, async () => {
      assertWhole(name, await get(page, { type: 'play', file: ids[name] }));
    });
  }

  // What is lost twice waits for SCTP's timeout of a second: docs/performance.md.
  const long = { skip: process.env.LONG !== '1' && 'takes a quarter of an hour and more: make files-long', timeout: 5_400_000 };

  test('half a gigabyte comes whole through it, and costs the daemon no memory', long, () => getLarge({ daemon, ids, page }));
});
