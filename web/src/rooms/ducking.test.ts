import { expect, test } from 'vitest';

import { Ducking } from './ducking';

test('music is at its full loudness while nobody has spoken', () => {
  expect(new Ducking().gainAt(0)).toBe(1);
});

test('music steps back within a tenth of a second, and returns 600 ms after the last word', () => {
  const ducking = new Ducking();
  ducking.note(true, 1_000);
  expect(ducking.gainAt(1_000)).toBe(1);
  expect(ducking.gainAt(1_040)).toBeLessThan(1);
  expect(ducking.gainAt(1_100)).toBe(0.25);
  ducking.note(false, 5_000);
  expect(ducking.gainAt(5_599)).toBe(0.25);
  expect(ducking.gainAt(5_800)).toBeGreaterThan(0.25);
  expect(ducking.gainAt(6_000)).toBe(1);
});

test('a pause between two sentences does not bring the music back', () => {
  const ducking = new Ducking();
  ducking.note(true, 0);
  ducking.note(false, 2_000);
  ducking.note(true, 2_500);
  expect(ducking.gainAt(2_500)).toBe(0.25);
  expect(ducking.gainAt(9_000)).toBe(0.25);
});

test('whoever speaks again while the music returns turns it down from where it is', () => {
  const ducking = new Ducking();
  ducking.note(true, 0);
  ducking.note(false, 1_000);
  const now = ducking.gainAt(1_800);
  ducking.note(true, 1_800);
  expect(ducking.gainAt(1_800)).toBeCloseTo(now);
  expect(ducking.gainAt(1_900)).toBe(0.25);
});

test('it is known when nothing more will change', () => {
  const ducking = new Ducking();
  expect(ducking.isMoving(0)).toBe(false);
  ducking.note(true, 0);
  expect(ducking.isMoving(50)).toBe(true);
  expect(ducking.isMoving(200)).toBe(false);
  ducking.note(false, 300);
  expect(ducking.isMoving(800)).toBe(true);
  expect(ducking.isMoving(1_400)).toBe(false);
});
