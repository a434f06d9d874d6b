// What is said in one tab is heard by an <audio> element, as dashboards and cast receivers have it: a
// page of another origin that plays the relay's URLs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { likeness, readWav, speak } from './sound.mjs';

const FILES = ['latest.mp3', 'all.mp3?profile=close', '<id>.wav', '<id>.opus'];

/** Speech through Opus, a jitter buffer and noise suppression is still as like its source as this. */
const ALIKE = 0.75;

/** What an <audio> element plays is as like what ffmpeg makes of the same bytes as this, second by second. */
const SAME = 0.9;

const SECONDS = 4;
const RATE = 48_000;

let folder, speech, browser, daemon, addresses, fetched;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  speech = speak(folder);
  [daemon, browser] = [await startDaemon(), await startBrowser(speech)];
  const talker = await openPage(browser, daemon.url);
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  const [stream] = (await (await fetch(`${daemon.url}stream/status`)).json()).active_streams;
  const addressOf = (file) => `http://localhost:${daemon.ports.mp3}/stream/${file.replace('<id>', stream)}`;
  addresses = Object.fromEntries(FILES.map((file) => [file, addressOf(file)]));
  fetched = Object.fromEntries(FILES.map((file) => [file, collect(addresses[file])]));
});

after(async () => {
  await browser.close();
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/** Pieces of so many seconds, one from each second. */
function seconds(samples, length) {
  const starts = Array.from({ length: Math.floor(samples.length / RATE) - length + 1 }, (_, second) => second * RATE);
  return starts.map((start) => samples.subarray(start, start + length * RATE));
}

/** Fetches a stream from now on; gives the list of pieces, which grows. */
function collect(address) {
  const pieces = [];
  const read = async () => {
    for await (const piece of (await fetch(address)).body) pieces.push(piece);
  };
  // It ends with the daemon.
  read().catch(() => undefined);
  return pieces;
}

/** All samples of this file so far. */
function decoded(file) {
  const output = ['-f', 's16le', '-ac', '1', '-ar', '48000', '-'];
  const input = Buffer.concat(fetched[file]);
  const pcm = execFileSync('ffmpeg', ['-loglevel', 'fatal', '-i', '-', ...output], { input, maxBuffer: 1 << 28 });
  return Float64Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(index * 2));
}

/**
 * Runs in a page: plays what is at this address; gives what was heard from the first sound on, how far
 * the player's own clock went in that time, and how far the real one.
 */
async function play({ address, seconds }) {
  const context = new AudioContext({ sampleRate: 48_000 });
  const tapCode = `registerProcessor('tap', class extends AudioWorkletProcessor {
    process([[heard]]) { return heard && this.port.postMessage(heard.slice()), true; }
  })`;
  await context.audioWorklet.addModule(URL.createObjectURL(new Blob([tapCode], { type: 'text/javascript' })));
  const [audio, tap, samples] = [new Audio(), new AudioWorkletNode(context, 'tap'), []];
  context.createMediaElementSource(audio).connect(tap);
  audio.crossOrigin = 'anonymous';
  audio.src = address;
  await audio.play();
  let began;
  await new Promise((resolve, reject) => {
    audio.onerror = () => reject(new Error(audio.error.message));
    tap.port.onmessage = ({ data }) => {
      if (!began && data.every((sample) => sample === 0)) return;
      began ??= { clock: performance.now(), position: audio.currentTime };
      for (const sample of data) samples.push(Math.round(sample * 32_767));
      if (samples.length >= seconds * context.sampleRate) resolve();
    };
  });
  const [elapsed, played] = [(performance.now() - began.clock) / 1_000, audio.currentTime - began.position];
  audio.src = '';
  await context.close();
  return { samples, elapsed, played };
}

// At once, since Chromium waits for its first 32 KiB before it plays: six seconds of Opus.
describe('an <audio> element plays in real time what the relay gives', { concurrency: FILES.length }, () => {
  for (const file of FILES) test(`from ${file}`, () => assertPlays(file));
});

async function assertPlays(file) {
  const page = await (await browser.newContext()).newPage();
  // A page without a policy of its own about what it may play.
  await page.goto(`${daemon.url}health`);
  const { samples, elapsed, played } = await page.evaluate(play, { address: addresses[file], seconds: SECONDS });
  // A browser on a busy machine stands still for a moment; a wrong rate would be seen all the same.
  assert.ok(Math.abs(played - elapsed) < 0.1 * SECONDS + 0.1, `played ${played} s in ${elapsed} s`);
  // Apart, since a player that waits for some milliseconds moves all that follows.
  const alike = seconds(Float64Array.from(samples), 1).map((second) => likeness(second, decoded(file)));
  assert.ok(median(alike) > SAME, `like the same bytes decoded by ffmpeg: ${alike}`);
  await page.context().close();
}

for (const file of FILES) {
  test(`what the relay gives is what was said, from ${file}`, () => {
    const [heard, source] = [decoded(file), readWav(speech)];
    // The best of all pieces: on a busy machine a browser's microphone stutters.
    const alike = Math.max(...seconds(heard, SECONDS).map((piece) => likeness(piece, source)));
    assert.ok(alike > ALIKE, `like its source: ${alike.toFixed(2)}`);
  });
}
