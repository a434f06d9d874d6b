import { expect, test } from 'vitest';

import { hearingBetween, totalsOf } from './hearing-report';

const inbound = (more: object) => ({ id: 'x', type: 'inbound-rtp', kind: 'audio', ...more });

test('what is heard in all slots is added up', () => {
  const totals = totalsOf([
    inbound({ jitterBufferDelay: 100, jitterBufferEmittedCount: 48_000, totalSamplesReceived: 50_000, concealedSamples: 900, silentConcealedSamples: 400 }),
    inbound({ jitterBufferDelay: 200, jitterBufferEmittedCount: 48_000 }),
    { id: 'y', type: 'media-playout', totalPlayoutDelay: 30, totalSamplesCount: 96_000 },
    { id: 'z', type: 'outbound-rtp', kind: 'audio', jitterBufferDelay: 9_999 },
  ]);
  expect(totals).toEqual({ buffered: 300, emitted: 96_000, playedOut: 30, played: 96_000, received: 50_000, concealed: 500 });
});

test('a report is about what happened since the one before', () => {
  const before = { buffered: 1_000, emitted: 10_000, playedOut: 100, played: 10_000, received: 10_000, concealed: 1_000 };
  const now = { buffered: 1_000 + 0.04 * 48_000, emitted: 58_000, playedOut: 100 + 0.01 * 48_000, played: 58_000, received: 58_000, concealed: 1_480 };
  expect(hearingBetween(before, now)).toEqual({ delayMs: 50, concealed: 0.01 });
});

test('while nobody is heard there is nothing to report', () => {
  const totals = totalsOf([]);
  expect(hearingBetween(totals, totals)).toBeNull();
});
