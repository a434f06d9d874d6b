// Gathers the facts that diagnosis.ts judges. Opens no microphone, and announces nothing to anybody.

import type { ConnectionLog } from './connection-log';
import type { Facts, Mp3Fact } from './diagnosis';
import { askRelay, type RelayInfo } from './relay-info';
import { microphoneObstacle } from '../session/microphone';
import { HOME, type HouseSession } from '../house/house-session';
import { socketUrl } from '../session/signalling';
import { probeFiles, probeVoices } from './udp-probe';

/** What does not answer by then does not answer. */
const PATIENCE_MS = 5_000;

/** How often, and how late, timers are looked at. */
const TIMERS = 8;
const TIMER_MS = 50;

/** Everything that the self-test needs to know. */
export async function gatherFacts(session: HouseSession, log: ConnectionLog): Promise<Facts> {
  // First and alone, so that nothing of ours keeps the page busy.
  const timersLateMs = await latestTimer();
  const info = await askRelay<RelayInfo>(session.base, 'api/info');
  const [health, socketMs, mp3, permission, voices, files] = await Promise.all([
    askRelay<{ status: string }>(session.base, 'health'),
    openSocket(socketUrl(session.base)),
    tryMp3(session.base, info?.body.mp3_port ?? null),
    microphonePermission(),
    probeVoices(session.base, session.view.selected?.room.id ?? HOME),
    probeFiles(session.base),
  ]);
  const { problem, blocked } = session.view;
  return {
    http: health && { milliseconds: health.milliseconds, healthy: health.body.status === 'healthy' },
    socketMs,
    obstacle: microphoneObstacle(),
    permission,
    problem,
    mp3,
    voices,
    files,
    connections: log.connections.map(({ history }) => {
      const { roundTripMs = null, lossPercent = null } = history.at(-1) ?? {};
      return { roundTripMs, lossPercent };
    }),
    mediaAddresses: info?.body.media_addresses ?? [],
    soundBlocked: blocked,
    hidden: document.hidden,
    timersLateMs,
    clockDifferenceMs: health?.clockDifference ?? null,
  };
}

async function latestTimer(): Promise<number> {
  let latest = 0;
  for (let timer = 0; timer < TIMERS; timer++) {
    const began = performance.now();
    await new Promise((resolve) => setTimeout(resolve, TIMER_MS));
    latest = Math.max(latest, performance.now() - began - TIMER_MS);
  }
  return latest;
}

/** Milliseconds until a WebSocket of its own had the relay's first message. */
async function openSocket(url: string): Promise<number | null> {
  const began = performance.now();
  const socket = new WebSocket(url);
  const took = await new Promise<number | null>((resolve) => {
    socket.onmessage = () => {
      resolve(performance.now() - began);
    };
    socket.onclose = () => {
      resolve(null);
    };
    setTimeout(resolve, PATIENCE_MS, null);
  });
  socket.close();
  return took;
}

async function microphonePermission(): Promise<PermissionState | null> {
  try {
    return (await navigator.permissions.query({ name: 'microphone' })).state;
  } catch {
    // Not every browser tells, and none does on plain HTTP.
    return null;
  }
}

/** Does what a player does, since the page's own policy lets only players go to another port. */
async function tryMp3(base: URL, port: number | null): Promise<Mp3Fact> {
  const fact = (result: Mp3Fact['result']): Mp3Fact => ({ result, host: location.hostname, port });
  if (port === null) return fact('unknown');
  if (location.protocol === 'https:') return fact('https');
  if (await isClosedWhileIdle(base)) return fact('idle');
  // With a burst it has enough to begin with at once.
  const player = new Audio();
  const result = await new Promise<Mp3Fact['result']>((resolve) => {
    player.onloadedmetadata = () => {
      resolve('reached');
    };
    player.onerror = () => {
      resolve('refused');
    };
    setTimeout(resolve, PATIENCE_MS, 'silent');
    player.preload = 'auto';
    player.src = `http://${location.hostname}:${port}/stream/latest.mp3?profile=browser`;
  });
  player.removeAttribute('src');
  player.load();
  return fact(result);
}

/** With `mp3.when_idle = unavailable` players are told to come back later; the main port says so too. */
async function isClosedWhileIdle(base: URL): Promise<boolean> {
  try {
    const { status } = await fetch(new URL('stream/latest.mp3', base), { method: 'HEAD', cache: 'no-store' });
    return status === 503;
  } catch {
    return false;
  }
}
