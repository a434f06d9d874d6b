// What the browser counts of a connection, as the numbers that people ask for. Pure functions: whoever
// has a report calls them.

/** One entry of a browser's report; which fields it has depends on its type, and on the browser. */
export type StatsEntry = { id: string; type: string } & Readonly<Record<string, unknown>>;

/** Which way the sound goes. */
export type Direction = 'talk' | 'hear';

/** One look at a connection. Totals count from its beginning; null is what this browser does not tell. */
export interface Sample {
  /** Milliseconds, of any clock that only goes forward. */
  at: number;
  dtls: string | null;
  /** Addresses of the candidate pair in use. */
  local: string | null;
  remote: string | null;
  codec: string | null;
  /** Seconds. */
  roundTrip: number | null;
  jitter: number | null;
  packets: number | null;
  bytes: number | null;
  lost: number | null;
  /** What the other side said it lost of what we sent lately: a share from 0 to 1. */
  lostRemotely: number | null;
  buffer: Total;
  playout: Total;
}

/** Seconds that samples waited, added up, and how many samples. */
export interface Total {
  seconds: number | null;
  count: number | null;
}

/** What people ask for, at one moment. */
export interface Measures {
  roundTripMs: number | null;
  jitterMs: number | null;
  lossPercent: number | null;
  kilobits: number | null;
  bufferMs: number | null;
  playoutMs: number | null;
}

/** A packet of Opus holds so much sound, and leaves when it is full. */
const PACKET_MS = 20;

/** From the jitter buffer to the ear, where the browser does not tell. */
const PLAYOUT_MS = 20;

/**
 * Reads a report of `RTCPeerConnection.getStats`. A connection carries a microphone and music, or several
 * people: totals are of all of them, and what can't be added up is of the track with the most packets.
 */
export function sampleOf(entries: readonly StatsEntry[], direction: Direction, at: number): Sample {
  const tracks = entries.filter(({ type, kind }) => type === (direction === 'talk' ? 'outbound-rtp' : 'inbound-rtp') && kind === 'audio');
  const packets = direction === 'talk' ? 'packetsSent' : 'packetsReceived';
  const most = Math.max(...tracks.map((track) => numberOf(track, packets) ?? 0));
  const busiest = tracks.find((track) => (numberOf(track, packets) ?? 0) === most);
  const remote = entries.find(({ type, localId }) => direction === 'talk' && type === 'remote-inbound-rtp' && localId === busiest?.id);
  const transport = entries.find(({ type }) => type === 'transport');
  const playout = entries.find(({ type }) => type === 'media-playout');
  const pair = pairInUse(entries, transport);
  const byId = (id: unknown) => entries.find((entry) => entry.id === id);
  return {
    at,
    dtls: textOf(transport, 'dtlsState'),
    local: addressOf(byId(pair?.['localCandidateId'])),
    remote: addressOf(byId(pair?.['remoteCandidateId'])),
    codec: textOf(byId(busiest?.['codecId']), 'mimeType')?.replace('audio/', '') ?? null,
    roundTrip: numberOf(pair, 'currentRoundTripTime') ?? numberOf(remote, 'roundTripTime'),
    jitter: numberOf(remote ?? busiest, 'jitter'),
    packets: sumOf(tracks, packets),
    bytes: sumOf(tracks, direction === 'talk' ? 'bytesSent' : 'bytesReceived'),
    lost: sumOf(tracks, 'packetsLost'),
    lostRemotely: numberOf(remote, 'fractionLost'),
    buffer: { seconds: sumOf(tracks, 'jitterBufferDelay'), count: sumOf(tracks, 'jitterBufferEmittedCount') },
    playout: { seconds: numberOf(playout, 'totalPlayoutDelay'), count: numberOf(playout, 'totalSamplesCount') },
  };
}

/** What happened between two looks at the same connection. */
export function measure(before: Sample | null, now: Sample): Measures {
  const seconds = before ? (now.at - before.at) / 1_000 : 0;
  const bytes = growth(before?.bytes, now.bytes);
  return {
    roundTripMs: inMilliseconds(now.roundTrip),
    jitterMs: inMilliseconds(now.jitter),
    lossPercent: lossBetween(before, now),
    kilobits: bytes === null || seconds <= 0 ? null : (bytes * 8) / 1_000 / seconds,
    bufferMs: waitBetween(before?.buffer, now.buffer),
    playoutMs: waitBetween(before?.playout, now.playout),
  };
}

/**
 * Milliseconds from a mouth to an ear, or, when we talk, to the relay. An estimate: the way of the
 * speaker to the relay is taken to be like ours, which nobody measures.
 */
export function estimatedDelay(direction: Direction, measures: Measures): number | null {
  const { roundTripMs, bufferMs, playoutMs } = measures;
  if (roundTripMs === null) return null;
  if (direction === 'talk') return PACKET_MS + roundTripMs / 2;
  return bufferMs === null ? null : PACKET_MS + roundTripMs + bufferMs + (playoutMs ?? PLAYOUT_MS);
}

/** The least and the most of these, as far as they are known. */
export function rangeOf(values: readonly (number | null)[]): { least: number; most: number } | null {
  const known = values.filter((value) => value !== null);
  return known.length ? { least: Math.min(...known), most: Math.max(...known) } : null;
}

function pairInUse(entries: readonly StatsEntry[], transport: StatsEntry | undefined): StatsEntry | undefined {
  const chosen = transport?.['selectedCandidatePairId'];
  // Browsers without it mark the pair itself.
  return entries.find((entry) =>
    chosen === undefined ? entry.type === 'candidate-pair' && entry['nominated'] === true && entry['state'] === 'succeeded' : entry.id === chosen,
  );
}

function addressOf(candidate: StatsEntry | undefined): string | null {
  // Browsers hide the address of a device that never gave them leave to use its microphone.
  const address = textOf(candidate, 'address') ?? textOf(candidate, 'ip');
  const port = numberOf(candidate, 'port');
  if (port === null) return null;
  if (!address) return `:${port}`;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function lossBetween(before: Sample | null, now: Sample): number | null {
  if (now.lostRemotely !== null) return now.lostRemotely * 100;
  const [lost, received] = [growth(before?.lost, now.lost), growth(before?.packets, now.packets)];
  if (lost === null || received === null) return null;
  return lost + received > 0 ? (100 * lost) / (lost + received) : 0;
}

function waitBetween(before: Total | undefined, now: Total): number | null {
  const [seconds, count] = [growth(before?.seconds, now.seconds), growth(before?.count, now.count)];
  return seconds === null || !count ? null : (1_000 * seconds) / count;
}

/** How much a total grew; null when it is not known, or was begun anew. */
function growth(before: number | null | undefined, now: number | null): number | null {
  if (before === null || before === undefined || now === null || now < before) return null;
  return now - before;
}

function inMilliseconds(seconds: number | null): number | null {
  return seconds === null ? null : seconds * 1_000;
}

function numberOf(entry: StatsEntry | undefined, field: string): number | null {
  const value = entry?.[field];
  return typeof value === 'number' ? value : null;
}

/** What these tracks have together; null where none of them tells. */
function sumOf(tracks: readonly StatsEntry[], field: string): number | null {
  const told = tracks.map((track) => numberOf(track, field)).filter((value) => value !== null);
  return told.length ? told.reduce((sum, value) => sum + value) : null;
}

function textOf(entry: StatsEntry | undefined, field: string): string | null {
  const value = entry?.[field];
  return typeof value === 'string' && value ? value : null;
}
