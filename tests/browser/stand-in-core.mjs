// The stand-in for Home Assistant's core that the tests in Rust use, as a program (examples/stand_in_core.rs).

import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../target/debug/examples/stand-in-core', import.meta.url));

/** Starts one; gives the flags with which a daemon is linked to it, and can be connected to, and the means to end it. */
export async function startCore() {
  const child = spawn(PROGRAM, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const line = await new Promise((resolve, reject) => {
    child.stdout.once('data', (data) => resolve(String(data)));
    child.once('error', reject);
    void ended.then((code) => reject(new Error(`the core ended with code ${code}`)));
  });
  const [, url, token] = /url=(\S+) token=(\S+)/.exec(line);
  return {
    flags: [`--hass-url=${url}`, `--hass-token=${token}`, `--esphome-listen=${await freePort()}`, '--hass-page=https://relay.example/'],
    /** Somebody presses the doorbell. */
    press() {
      child.stdin.write(`${new Date().toISOString()}\n`);
    },
    async stop() {
      child.kill();
      return ended;
    },
  };
}

/** A port that nobody has just now. */
async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
