// How well we hear, as the relay wants to know it: how long sound waits with us, and how much of it was made up.

import type { StatsEntry } from '../lib/statistics';

/** Totals since the connection began. Seconds, and numbers of samples. */
export interface HearingTotals {
  buffered: number;
  emitted: number;
  playedOut: number;
  played: number;
  received: number;
  concealed: number;
}

/** One report. */
export interface Hearing {
  /** In the jitter buffer and on the way to the ear. */
  delayMs: number;
  /** Share of what was played that had not come, from 0 to 1. */
  concealed: number;
}

/** Adds up what a report of `getStats` tells of everything received. */
export function totalsOf(entries: readonly StatsEntry[]): HearingTotals {
  const inbound = entries.filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio');
  const playout = entries.filter(({ type }) => type === 'media-playout');
  return {
    buffered: sum(inbound, 'jitterBufferDelay'),
    emitted: sum(inbound, 'jitterBufferEmittedCount'),
    playedOut: sum(playout, 'totalPlayoutDelay'),
    played: sum(playout, 'totalSamplesCount'),
    received: sum(inbound, 'totalSamplesReceived'),
    concealed: sum(inbound, 'concealedSamples') - sum(inbound, 'silentConcealedSamples'),
  };
}

/** What happened between two looks; null when nothing was heard. */
export function hearingBetween(before: HearingTotals, now: HearingTotals): Hearing | null {
  const emitted = now.emitted - before.emitted;
  if (emitted <= 0) return null;
  const buffer = (now.buffered - before.buffered) / emitted;
  const played = now.played - before.played;
  const playout = played > 0 ? (now.playedOut - before.playedOut) / played : 0;
  const received = now.received - before.received;
  const concealed = received > 0 ? (now.concealed - before.concealed) / received : 0;
  return { delayMs: Math.max(0, Math.round((buffer + playout) * 1_000)), concealed: Math.min(1, Math.max(0, concealed)) };
}

function sum(entries: readonly StatsEntry[], field: string): number {
  return entries.reduce((total, entry) => total + (typeof entry[field] === 'number' ? entry[field] : 0), 0);
}
