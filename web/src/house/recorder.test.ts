import { expect, test } from 'vitest';

import { waveOf } from './recorder';

test('a recording is a WAV file of one channel and 16 bits, and nothing in it is louder than it may be', async () => {
  const bytes = new DataView(await waveOf(new Float32Array([0, 0.5, -0.5, 2, -2])).arrayBuffer());
  const text = (at: number) => String.fromCharCode(...[0, 1, 2, 3].map((index) => bytes.getUint8(at + index)));
  expect([text(0), text(8), text(12), text(36)]).toEqual(['RIFF', 'WAVE', 'fmt ', 'data']);
  expect([bytes.getUint16(22, true), bytes.getUint32(24, true), bytes.getUint16(34, true)]).toEqual([1, 24_000, 16]);
  expect([bytes.getUint32(4, true), bytes.getUint32(40, true), bytes.byteLength]).toEqual([46, 10, 54]);
  expect([0, 1, 2, 3, 4].map((index) => bytes.getInt16(44 + 2 * index, true))).toEqual([0, 16_383, -16_383, 32_767, -32_767]);
});
