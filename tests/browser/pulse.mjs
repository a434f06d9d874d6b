// A PulseAudio server of our own, with microphones that can be pulled out: for a Chromium without its fake
// devices.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const RATE = ['--format=s16le', '--rate=48000', '--channels=1', '--raw'];

/** Starts the server. */
export async function startPulse() {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-pulse-'));
  const socket = join(folder, 'socket');
  // What Chromium needs in its environment to find this server, and no other.
  const env = { ...process.env, HOME: folder, XDG_RUNTIME_DIR: folder, PULSE_SERVER: `unix:${socket}` };
  const module = `module-native-protocol-unix auth-anonymous=1 socket=${socket}`;
  const flags = ['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=60', '-L', module];
  const server = spawn('pulseaudio', flags, { env, stdio: 'ignore' });
  const control = (...args) => String(execFileSync('pactl', args, { env, stdio: ['ignore', 'pipe', 'ignore'] })).trim();
  const load = (...args) => control('load-module', ...args);
  const players = [];
  for (let tries = 100; ; tries--) {
    try {
      control('info');
      break;
    } catch (error) {
      if (tries === 0) throw new Error('pulseaudio does not answer', { cause: error });
      await setTimeout(50);
    }
  }
  return {
    env,
    /** Plugs in a microphone that hears this WAV file, over and over; gives what {@link unplug} takes. */
    plugMicrophone(name, sound) {
      const sink = load('module-null-sink', `sink_name=${name}_air`, 'rate=48000');
      players.push(spawn('sh', ['-c', `while :; do tail -c +45 "${sound}"; done | pacat --latency-msec=20 -d ${name}_air ${RATE.join(' ')}`], { env, detached: true }));
      const source = load(
        'module-remap-source',
        `master=${name}_air.monitor`,
        `source_name=${name}`,
        `source_properties=device.description=${name}`,
      );
      control('set-default-source', name);
      return [source, sink];
    },
    unplug(modules) {
      for (const one of modules) control('unload-module', one);
    },
    /** Plugs in a loudspeaker. */
    plugLoudspeaker: (name) => load('module-null-sink', `sink_name=${name}`, 'rate=48000', `sink_properties=device.description=${name}`),
    /** Samples that a loudspeaker plays in so many seconds. */
    async record(loudspeaker, seconds) {
      const recorder = spawn('parec', ['-d', `${loudspeaker}.monitor`, ...RATE, '--latency-msec=20'], { env });
      const pieces = [];
      recorder.stdout.on('data', (piece) => pieces.push(piece));
      await setTimeout(seconds * 1_000);
      recorder.kill();
      const bytes = Buffer.concat(pieces);
      return Float64Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readInt16LE(index * 2));
    },
    stop() {
      for (const player of players) process.kill(-player.pid);
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
