// The real daemon for a test: started on free ports, or again on the ports that it had.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PROGRAM = process.env.VOICE_RELAY ?? fileURLToPath(new URL('../../target/release/voice-relay', import.meta.url));

/** This machine's own network. */
const HERE = { address: 'localhost', enter: [] };

const FOLDERS = [];

process.once('exit', () => {
  for (const folder of FOLDERS) rmSync(folder, { recursive: true, force: true });
});

/** A folder for what one daemon keeps, and no other; gone when the tests are. */
function dataFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-data-'));
  FOLDERS.push(folder);
  return folder;
}

/**
 * Starts a daemon, here or in a network of its own, by default without TLS, with an environment of its own; gives its
 * ports and the means to end it.
 */
export async function startDaemon(ports = { http: 0, mp3: 0, media: 0 }, network = HERE, more = ['--tls-mode=off'], env = {}) {
  // All who come in a test come from one address.
  const flags = [`--http-port=${ports.http}`, `--mp3-port=${ports.mp3}`, `--media-port=${ports.media}`, `--files-port=${ports.files ?? 0}`, `--video-port=${ports.video ?? 0}`, '--limits-share=100', ...more];
  const [program, ...rest] = [...network.enter, PROGRAM, ...flags, '--log-level=warn'];
  const data = env.VOICE_RELAY__DATA_DIR ?? dataFolder();
  const known = { VOICE_RELAY__FILES__FOLDERS: 'off', VOICE_RELAY__DATA_DIR: data };
  const child = spawn(program, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...known, ...env } });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let log = '';
  child.stderr.on('data', (data) => {
    log += data;
    process.stderr.write(data);
  });
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
    void ended.then((code) => reject(new Error(`the daemon ended with code ${code}`)));
  });
  const [, http, mp3, media] = /http=(\d+) mp3=(\d+) media=(\d+)/.exec(line).map(Number);
  const [files, video] = ['files', 'video'].map((name) => Number(new RegExp(` ${name}=(\\d+)`).exec(line)[1]));
  const https = Number(/ https=(\d+)/.exec(line)?.[1] ?? 0);
  return {
    ports: { http, mp3, media, files, video, https },
    pid: child.pid,
    /** Where it keeps what outlives it, for whoever starts it anew. */
    data,
    url: `http://${network.address}:${http}/`,
    /** What it logged: warnings and errors. */
    log: () => log,
    /** Ends it, by default in good order; `SIGKILL` for the other kind. */
    async stop(signal = 'SIGTERM') {
      child.kill(signal);
      return ended;
    },
    /** All metrics as numbers, by name. */
    async metrics() {
      const page = await (await fetch(`http://${network.address}:${http}/metrics`)).text();
      const lines = page.split('\n').filter((metric) => metric && !metric.startsWith('#'));
      return Object.fromEntries(lines.map((metric) => [metric.split(' ')[0], Number(metric.split(' ')[1])]));
    },
  };
}
