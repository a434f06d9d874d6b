import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Press, TAP_MS, TilePress } from './press';

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

describe('a tile', () => {
  let done: string[], tile: TilePress;
  const target = { setPointerCapture: vi.fn() };
  const down = () => {
    tile.pointerDown({ button: 0, isPrimary: true, clientX: 0, clientY: 0, pointerId: 1, currentTarget: target } as unknown as PointerEvent);
  };
  const click = () => {
    tile.clicked({ timeStamp: performance.now() } as Event);
  };

  beforeEach(() => {
    vi.useFakeTimers();
    done = [];
    tile = new TilePress({
      tap: () => done.push('tap'),
      hold: () => done.push('hold'),
      release: () => done.push('release'),
    });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test('that is tapped is not held', () => {
    down();
    vi.advanceTimersByTime(TAP_MS - 1);
    tile.letGo();
    click();
    expect(done).toEqual(['tap']);
  });

  test('that is held is not tapped when the finger goes', () => {
    down();
    vi.advanceTimersByTime(TAP_MS);
    expect(done).toEqual(['hold']);
    tile.letGo();
    click();
    expect(done).toEqual(['hold', 'release']);
  });

  test('under a finger that scrolls is neither', () => {
    down();
    tile.pointerMove({ clientX: 0, clientY: 30 } as PointerEvent);
    vi.advanceTimersByTime(TAP_MS);
    tile.letGo();
    expect(done).toEqual([]);
  });

  test('is tapped by a key or a screen reader, which only click', () => {
    click();
    expect(done).toEqual(['tap']);
  });
});
