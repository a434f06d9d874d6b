// What is wrong, and what to do: from facts to findings. Gathering the facts is self-test.ts' business.

import { diagnosisWords as t, type Advice, type Saying } from '../messages/diagnosis';
import { problemInWords } from '../messages/problems';
import type { Problem, ProblemCode } from '../session/problem';
import type { UdpFact } from './udp-probe';

/** What was found out. Null is what could not be. */
export interface Facts {
  /** The relay's answer over HTTP. */
  http: { milliseconds: number; healthy: boolean } | null;
  /** Milliseconds until a new WebSocket had its first message. */
  socketMs: number | null;
  obstacle: ProblemCode | null;
  permission: PermissionState | null;
  /** Why talking failed the last time. */
  problem: Problem | null;
  mp3: Mp3Fact;
  /** UDP to the port of voices, and to that of files. */
  voices: UdpFact;
  files: UdpFact;
  connections: ConnectionFact[];
  /** Where the relay takes sound. */
  mediaAddresses: string[];
  soundBlocked: boolean;
  hidden: boolean;
  /** How late a timer was at worst. */
  timersLateMs: number;
  /** The relay's clock less ours. */
  clockDifferenceMs: number | null;
}

/** Whether players' addresses can be reached. `https`: such a page cannot tell; `idle`: set to be closed now. */
export interface Mp3Fact {
  result: 'reached' | 'refused' | 'silent' | 'https' | 'idle' | 'unknown';
  host: string;
  port: number | null;
}

/** One connection for sound. */
export interface ConnectionFact {
  roundTripMs: number | null;
  lossPercent: number | null;
}

/** What is looked at, in the order in which a person wants to know. */
export type Check = 'http' | 'socket' | 'microphone' | 'media' | 'files' | 'quality' | 'sound' | 'mp3' | 'timers' | 'clock';

/** `skipped`: could not be tested. */
export type Verdict = 'ok' | 'attention' | 'wrong' | 'skipped';

/** One thing that was looked at, in words. */
export interface Finding {
  check: Check;
  verdict: Verdict;
  says: string;
  /** What to do about it; empty when nothing needs to be done. */
  advice: string;
}

/** Bounds of what is no trouble. */
const SLOW_ANSWER_MS = 1_000;
const SLOW_ROUND_TRIP_MS = 150;
const LOSS_PERCENT = 3;
const LATE_TIMER_MS = 250;
const CLOCK_MS = 120_000;

type Found = Omit<Finding, 'check'>;

/** From facts to findings. */
export function diagnose(facts: Facts): Finding[] {
  const found: Record<Check, Found> = {
    http: ofHttp(facts),
    socket: ofSocket(facts),
    microphone: ofMicrophone(facts),
    media: ofMedia(facts),
    files: ofFiles(facts),
    quality: ofQuality(facts),
    sound: facts.soundBlocked ? find('attention', 'soundBlocked', 'doTap') : find('ok', 'soundOk'),
    mp3: ofMp3(facts.mp3),
    timers: ofTimers(facts),
    clock: ofClock(facts),
  };
  return Object.entries(found).map(([check, finding]) => ({ check: check as Check, ...finding }));
}

/** The worst of these. What was skipped is no trouble. */
export function worstOf(findings: readonly Finding[]): 'ok' | 'attention' | 'wrong' {
  const verdicts = findings.map(({ verdict }) => verdict);
  if (verdicts.includes('wrong')) return 'wrong';
  return verdicts.includes('attention') ? 'attention' : 'ok';
}

function find(verdict: Verdict, saying: Saying, advice?: Advice, values: Record<string, string | number> = {}): Found {
  return { verdict, says: t(saying, values), advice: advice ? t(advice, values) : '' };
}

function ofHttp({ http }: Facts): Found {
  if (!http) return find('wrong', 'httpNone', 'doHttp');
  if (!http.healthy) return find('wrong', 'httpUnwell', 'doHttpUnwell');
  const ms = Math.round(http.milliseconds);
  return ms > SLOW_ANSWER_MS ? find('attention', 'httpSlow', 'doHttpSlow', { ms }) : find('ok', 'httpOk', undefined, { ms });
}

function ofSocket({ socketMs }: Facts): Found {
  if (socketMs === null) return find('wrong', 'socketNone', 'doSocket');
  return find('ok', 'socketOk', undefined, { ms: Math.round(socketMs) });
}

function ofMicrophone({ obstacle, permission, problem }: Facts): Found {
  if (obstacle) return { ...find('attention', 'microphoneObstacle'), advice: problemInWords({ code: obstacle, detail: '' }) };
  if (permission === 'denied') return find('wrong', 'microphoneDenied', 'doMicrophoneDenied');
  if (problem) return { ...find('wrong', 'microphoneFailed'), advice: problemInWords(problem) };
  return permission === 'granted' ? find('ok', 'microphoneOk') : find('ok', 'microphoneAsks', 'doMicrophoneAsks');
}

function ofMedia({ voices: { result, port }, mediaAddresses }: Facts): Found {
  if (result === 'unknown') return find('skipped', 'mediaUnknown');
  if (result === 'reached') return find('ok', 'mediaOk', undefined, { port: port ?? '' });
  return find('wrong', 'mediaBlocked', 'doMedia', { port: port ?? '', addresses: mediaAddresses.join(', ') });
}

function ofFiles({ files: { result, port } }: Facts): Found {
  if (result === 'unknown') return find('skipped', 'filesUnknown');
  if (result === 'reached') return find('ok', 'filesOk', undefined, { port: port ?? '' });
  return find('attention', 'filesBlocked', 'doFiles', { port: port ?? '' });
}

function ofQuality({ connections }: Facts): Found {
  const trips = connections.map(({ roundTripMs }) => roundTripMs).filter((trip) => trip !== null);
  if (!trips.length) return find('skipped', 'qualityNothing', 'doTalk');
  const ms = Math.round(Math.max(...trips));
  const loss = Math.round(Math.max(0, ...connections.map(({ lossPercent }) => lossPercent ?? 0)) * 10) / 10;
  if (loss > LOSS_PERCENT) return find('attention', 'qualityLossy', 'doNetwork', { loss });
  return ms > SLOW_ROUND_TRIP_MS ? find('attention', 'qualitySlow', 'doNetwork', { ms }) : find('ok', 'qualityOk', undefined, { ms, loss });
}

function ofMp3({ result, host, port }: Mp3Fact): Found {
  const values = { host, port: port ?? '', url: `http://${host}:${port ?? ''}/health` };
  switch (result) {
    case 'reached':
      return find('ok', 'mp3Ok');
    case 'refused':
      return find('wrong', 'mp3Refused', 'doMp3', values);
    case 'silent':
      return find('attention', 'mp3Silent', 'doMp3', values);
    case 'https':
      return find('skipped', 'mp3Https', 'doMp3Https', values);
    case 'idle':
      return find('skipped', 'mp3Idle');
    case 'unknown':
      return find('skipped', 'mp3Unknown');
  }
}

function ofTimers({ hidden, timersLateMs }: Facts): Found {
  if (hidden) return find('attention', 'timersHidden', 'doShow');
  if (timersLateMs <= LATE_TIMER_MS) return find('ok', 'timersOk');
  return find('attention', 'timersLate', 'doTimers', { ms: Math.round(timersLateMs) });
}

function ofClock({ clockDifferenceMs }: Facts): Found {
  if (clockDifferenceMs === null) return find('skipped', 'clockUnknown');
  if (Math.abs(clockDifferenceMs) <= CLOCK_MS) return find('ok', 'clockOk');
  return find('attention', 'clockOff', 'doClock', { minutes: Math.round(Math.abs(clockDifferenceMs) / 60_000) });
}
