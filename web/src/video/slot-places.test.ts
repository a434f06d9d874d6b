import { expect, test } from 'vitest';

import { SlotPlaces } from './slot-places';

test('a picture stays in its slot while it is wanted', () => {
  const places = new SlotPlaces(['1', '2', '3']);
  expect([...places.place(['anna', 'ben'])]).toEqual([['anna', '1'], ['ben', '2']]);
  expect([...places.place(['cora', 'ben'])]).toEqual([['ben', '2'], ['cora', '1']]);
  expect([...places.place(['ben', 'cora'])]).toEqual([['ben', '2'], ['cora', '1']]);
});

test('the most wanted get the slots, and the others none', () => {
  const places = new SlotPlaces(['1', '2']);
  expect([...places.place(['anna', 'ben', 'cora']).keys()]).toEqual(['anna', 'ben']);
  expect([...places.place(['cora', 'anna', 'ben']).keys()].sort()).toEqual(['anna', 'cora']);
});

test('with other slots all begins anew', () => {
  const places = new SlotPlaces(['1']);
  places.place(['anna']);
  places.reset(['7', '8']);
  expect([...places.place(['ben', 'anna'])]).toEqual([['ben', '7'], ['anna', '8']]);
});
