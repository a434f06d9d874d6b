// The real daemon with files to send, tones for its clients to send, and what of them is heard by the others.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startDaemon } from '../browser/daemon.mjs';
import { powerAt } from '../browser/sound.mjs';

/** What nobody plays. */
const ELSE = 1_700;

/** How long something may take to be heard or told. */
export const PATIENCE_MS = 20_000;

/** A daemon with this many bytes to send in `wanted.wav`, and as many in the default file. */
export async function startHouse(bytes = 200_000) {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  for (const name of ['wanted.wav', 'ding-dong.wav']) writeFileSync(join(folder, name), wav(bytes));
  const flags = ['--tls-mode=off', `--files-folders=${folder}`, `--data-dir=${join(folder, '.data')}`];
  const daemon = await startDaemon(undefined, undefined, flags);
  const stop = async () => {
    await daemon.stop();
    rmSync(folder, { recursive: true });
    assert.equal(daemon.log(), '', 'a client that comes and goes in good order is nothing to warn of');
  };
  return { ...daemon, folder, stop };
}

function wav(bytes) {
  const header = Buffer.alloc(44);
  header.write('RIFF', 0);
  header.writeUInt32LE(bytes - 8, 4);
  header.write('WAVEfmt ', 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(48_000, 24);
  header.writeUInt32LE(96_000, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write('data', 36);
  header.writeUInt32LE(bytes - 44, 40);
  return Buffer.concat([header, randomBytes(bytes - 44)]);
}

/** Waits until `look` gives something, and gives it. */
export async function until(look, what) {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; ) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return assert.fail(`in vain: ${what}`);
}

async function streams(house) {
  return (await (await fetch(`${house.url}api/streams`)).json()).streams;
}

/** Fails unless whoever spoke is soon known to be gone. */
export async function assertNobodySpeaks(house) {
  await until(async () => (await streams(house)).length === 0, 'the end of the stream');
}

/** Fails unless a media player hears this tone, and nothing else, in what is said last. */
export async function assertHeard(context, house, frequency) {
  await until(async () => (await streams(house)).length > 0, 'a live stream');
  const url = `http://localhost:${house.ports.mp3}/stream/latest.mp3`;
  const flags = ['-v', 'error', '-i', url, '-ss', '1', '-t', '2', '-ac', '1', '-ar', '48000', '-f', 's16le', '-'];
  assertTone(await output(context, 'ffmpeg', flags), frequency);
}

/** Fails unless these samples (16 bits, mono, 48 kHz) are this tone. */
export function assertTone(bytes, frequency) {
  const samples = Float64Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readInt16LE(index * 2));
  const [tone, others] = [frequency, ELSE].map((each) => powerAt(each, samples));
  assert.ok(samples.length > 48_000, `${samples.length} samples`);
  assert.ok(tone > 1_000_000 && tone > 100 * others, `the tone: ${tone.toFixed()}, and beside it: ${others.toFixed()}`);
}

async function output(context, program, flags) {
  const child = spawn(program, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
  context.after(() => child.kill('SIGKILL'));
  const chunks = [];
  child.stdout.on('data', (chunk) => chunks.push(chunk));
  await new Promise((resolve) => child.once('close', resolve));
  return Buffer.concat(chunks);
}

/** RTP packets with this tone in Opus (payload type 111), until the test ends. */
export async function startTone(context, frequency, ssrc, send) {
  const socket = createSocket('udp4');
  socket.on('message', send);
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const source = `sine=frequency=${frequency}:sample_rate=48000,volume=4`;
  const coded = ['-c:a', 'libopus', '-b:a', '48k', '-payload_type', '111', '-ssrc', String(ssrc)];
  const address = `rtp://127.0.0.1:${socket.address().port}?localrtcpport=0`;
  const flags = ['-v', 'error', '-re', '-f', 'lavfi', '-i', source, ...coded, '-f', 'rtp', address];
  const child = spawn('ffmpeg', flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  context.after(() => {
    child.kill('SIGKILL');
    socket.close();
  });
}

/** Decodes the RTP packets with Opus that it is given, as they come: two seconds, 16 bits, mono, at 48 kHz. */
export async function startEar(context, folder) {
  const socket = createSocket('udp4');
  await new Promise((resolve) => socket.bind(0, '127.0.0.1', resolve));
  const { port } = socket.address();
  await new Promise((resolve) => socket.close(resolve));
  const path = join(folder, 'heard.sdp');
  const lines = ['v=0', 'o=- 0 0 IN IP4 127.0.0.1', 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', `m=audio ${port} RTP/AVP 111`, 'a=rtpmap:111 opus/48000/2'];
  writeFileSync(path, lines.map((line) => `${line}\r\n`).join(''));
  const input = ['-v', 'error', '-protocol_whitelist', 'file,udp,rtp', '-i', path];
  const samples = output(context, 'ffmpeg', [...input, '-ss', '1', '-t', '2', '-ac', '1', '-ar', '48000', '-f', 's16le', '-']);
  const sender = createSocket('udp4');
  context.after(() => sender.close());
  return { hear: (packet) => sender.send(packet, port, '127.0.0.1'), samples };
}

/** `POST`s an offer to WHIP or WHEP; gives the answer, and the way to end it. */
export async function post(house, path, offer) {
  const url = new URL(path, house.url);
  const reply = await fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: offer });
  const answer = await reply.text();
  assert.equal(reply.status, 201, answer);
  const resource = new URL(reply.headers.get('Location'), url);
  const end = async () => assert.equal((await fetch(resource, { method: 'DELETE' })).status, 200);
  return { answer, end };
}

/** The file that is asked for, as `/api/files` tells it and as HTTP serves it. */
export async function wantedFile(house) {
  const find = async () => (await (await fetch(`${house.url}api/files?search=wanted`)).json()).files[0];
  const file = await until(find, 'the list of files');
  const bytes = Buffer.from(await (await fetch(`${house.url}api/files/${file.id}`)).arrayBuffer());
  return { id: file.id, sha256: sha256(bytes), size: bytes.length };
}

export function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex');
}
