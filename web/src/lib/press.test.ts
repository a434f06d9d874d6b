import { beforeEach, expect, test } from 'vitest';

import { Press, TAP_MS } from './press';

let now: number, talking: boolean, stops: number, press: Press;

beforeEach(() => {
  [now, talking, stops] = [0, false, 0];
  press = new Press({
    isTalking: () => talking,
    start: () => {
      talking = true;
    },
    stop: () => {
      talking = false;
      stops++;
    },
  });
});

test('a hold talks while it lasts', () => {
  press.down(now);
  now += TAP_MS;
  expect(talking).toBe(true);
  press.up(now);
  expect(talking).toBe(false);
});

test('a tap talks until the next one', () => {
  press.down(now);
  now += TAP_MS - 1;
  press.up(now);
  expect(talking).toBe(true);
  press.down(now);
  expect(talking).toBe(false);
  press.up(now);
  expect(talking).toBe(false);
});

test('a press that the system takes away ends, however short it was', () => {
  press.down(now);
  press.cancel();
  expect(talking).toBe(false);
  press.up(now);
  expect(stops).toBe(1);
});

test('a key that repeats while it is down is one press', () => {
  press.down(now);
  press.down(now);
  expect(talking).toBe(true);
});

test('a hold that failed is not stopped as well, so that its reason stays', () => {
  press.down(now);
  talking = false;
  now += TAP_MS;
  press.up(now);
  expect(stops).toBe(0);
});

test('a press without length begins, and ends', () => {
  press.toggle();
  expect(talking).toBe(true);
  press.toggle();
  expect(talking).toBe(false);
});
