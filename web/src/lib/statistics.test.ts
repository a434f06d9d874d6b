import { describe, expect, it } from 'vitest';

import { estimatedDelay, measure, rangeOf, sampleOf, type StatsEntry } from './statistics';

const CONNECTION: StatsEntry[] = [
  { id: 'T', type: 'transport', dtlsState: 'connected', selectedCandidatePairId: 'P2' },
  { id: 'P1', type: 'candidate-pair', nominated: true, state: 'succeeded', currentRoundTripTime: 9 },
  { id: 'P2', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'R', currentRoundTripTime: 0.012 },
  { id: 'L', type: 'local-candidate', port: 50_000 },
  { id: 'R', type: 'remote-candidate', address: 'fd00::2', port: 8_082 },
  { id: 'C', type: 'codec', mimeType: 'audio/opus' },
];

function received(packets: number, more: Record<string, unknown> = {}): StatsEntry[] {
  const media = { id: 'I', type: 'inbound-rtp', kind: 'audio', codecId: 'C', packetsReceived: packets, bytesReceived: packets * 80, jitter: 0.003 };
  return [...CONNECTION, { ...media, ...more }];
}

describe('a look at a connection', () => {
  it('takes the pair in use, its addresses, and the codec', () => {
    const sample = sampleOf(received(50), 'hear', 0);
    expect(sample).toMatchObject({ roundTrip: 0.012, local: ':50000', remote: '[fd00::2]:8082', codec: 'opus', dtls: 'connected' });
  });

  it('finds the pair where the browser names none', () => {
    const [, ...without] = received(50);
    expect(sampleOf(without, 'hear', 0).roundTrip).toBe(9);
  });

  // In which order a browser lists them is anybody's guess.
  it('counts a microphone and idle music together, in every order', () => {
    const tracks: StatsEntry[] = [
      { id: 'music', type: 'outbound-rtp', kind: 'audio', packetsSent: 0, bytesSent: 0 },
      { id: 'M1', type: 'remote-inbound-rtp', localId: 'music', fractionLost: 0 },
      { id: 'voice', type: 'outbound-rtp', kind: 'audio', packetsSent: 50, bytesSent: 4_000, codecId: 'C' },
      { id: 'M2', type: 'remote-inbound-rtp', localId: 'voice', fractionLost: 0.25 },
    ];
    for (const inOrder of [tracks, [...tracks].reverse()])
      expect(sampleOf([...CONNECTION, ...inOrder], 'talk', 0)).toMatchObject({ packets: 50, bytes: 4_000, codec: 'opus', lostRemotely: 0.25 });
  });

  it('counts everybody who is heard', () => {
    const two = [...received(50, { packetsLost: 1 }), ...received(90, { id: 'J', jitter: 0.007, packetsLost: 2 })];
    expect(sampleOf(two, 'hear', 0)).toMatchObject({ packets: 140, bytes: 11_200, lost: 3, jitter: 0.007 });
  });

  it('leaves open what the browser does not tell', () => {
    const measures = measure(null, sampleOf([], 'talk', 0));
    expect(Object.values(measures).every((value) => value === null)).toBe(true);
    expect(estimatedDelay('hear', measures)).toBeNull();
  });
});

describe('between two looks', () => {
  const before = sampleOf(received(100, { packetsLost: 4, jitterBufferDelay: 10, jitterBufferEmittedCount: 1_000 }), 'hear', 1_000);
  const now = sampleOf(received(190, { packetsLost: 14, jitterBufferDelay: 82, jitterBufferEmittedCount: 2_800 }), 'hear', 3_000);

  it('counts only what happened since', () => {
    const measures = measure(before, now);
    expect(measures).toMatchObject({ lossPercent: 10, kilobits: 28.8, bufferMs: 40, roundTripMs: 12, jitterMs: 3 });
    expect(estimatedDelay('hear', measures)).toBe(20 + 12 + 40 + 20);
  });

  it('says nothing when the totals began anew', () => {
    expect(measure(now, before)).toMatchObject({ lossPercent: null, kilobits: null, bufferMs: null });
  });

  it('counts no loss where nothing was sent', () => {
    expect(measure(now, { ...now, at: 4_000 })).toMatchObject({ lossPercent: 0, kilobits: 0, bufferMs: null });
  });

  it('believes the relay about what it lost of ours', () => {
    const sent: StatsEntry = { id: 'O', type: 'outbound-rtp', kind: 'audio', codecId: 'C', packetsSent: 50, bytesSent: 4_000 };
    const told: StatsEntry = { id: 'M', type: 'remote-inbound-rtp', localId: 'O', kind: 'audio', fractionLost: 0.25, jitter: 0.004 };
    const measures = measure(null, sampleOf([...CONNECTION, sent, told], 'talk', 0));
    expect(measures).toMatchObject({ lossPercent: 25, jitterMs: 4 });
    expect(estimatedDelay('talk', measures)).toBe(20 + 6);
  });
});

it('the range passes over what is not known', () => {
  expect(rangeOf([null, 3, 1, null])).toEqual({ least: 1, most: 3 });
  expect(rangeOf([null])).toBeNull();
});
