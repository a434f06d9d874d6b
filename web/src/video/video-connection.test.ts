import { expect, test } from 'vitest';

import { layersFor } from './video-connection';

const SCALES = [4, 2, 1];

test('layers are sent up to the first that fills the largest tile', () => {
  expect(layersFor(100, 720, SCALES)).toEqual([true, false, false]);
  expect(layersFor(180, 720, SCALES)).toEqual([true, false, false]);
  expect(layersFor(181, 720, SCALES)).toEqual([true, true, false]);
  expect(layersFor(540, 720, SCALES)).toEqual([true, true, true]);
  expect(layersFor(2_000, 720, SCALES)).toEqual([true, true, true]);
});

test('nothing is sent to nobody', () => {
  expect(layersFor(0, 720, SCALES)).toEqual([false, false, false]);
  expect(layersFor(0, 1_080, [1])).toEqual([false]);
});

test('a screen of one size is sent to whoever looks', () => {
  expect(layersFor(90, 1_080, [1])).toEqual([true]);
});
