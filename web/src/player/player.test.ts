import { expect, test } from 'vitest';

import { clock } from './clock';
import { retryDelay } from './file-feed';
import { PlayerMemory } from './kept';
import { titleOf } from './library';
import { firstFrame, frameLength, Timetable } from './mp3';
import { COLUMNS, note } from './peaks';
import { PlayQueue, QUEUE_MOST } from './play-queue';
import { isEnough } from './pre-buffer';

/** Version 1, layer III, 128 kbit/s, 44.1 kHz: 417 bytes a frame. */
const HEADER = [0xff, 0xfb, 0x90, 0x00];
const FRAME = 417;

/** Junk, and then so many frames. */
function frames(count: number, junk = 0): Uint8Array {
  const bytes = new Uint8Array(junk + count * FRAME);
  for (let frame = 0; frame < count; frame++) bytes.set(HEADER, junk + frame * FRAME);
  return bytes;
}

test('frames are as long as their headers say, and what is no header has no length', () => {
  expect(frameLength(new Uint8Array(HEADER), 0)).toBe(FRAME);
  for (const junk of [[], [0xff], [0xff, 0xfb, 0xf0, 0], [0xff, 0xfb, 0x9c, 0], [0x49, 0x44, 0x33, 4]]) {
    expect(frameLength(new Uint8Array(junk), 0)).toBe(0);
  }
});

test('the first frame is one that another follows, whatever looks like one before it', () => {
  const bytes = frames(3, 100);
  bytes.set(HEADER, 7);
  expect(firstFrame(bytes)).toBe(100);
  expect(firstFrame(frames(1))).toBeNull();
});

test('with a constant bitrate every byte has its time, behind the tags', () => {
  const head = frames(5, 2_010);
  // 2000 bytes of tags, written with seven bits a byte.
  head.set([0x49, 0x44, 0x33, 4, 0, 0, 0, 0, 15, 80]);
  const table = new Timetable(head, 102_010, 100);
  expect(table.byteAt(0)).toBe(2_010);
  expect(table.byteAt(50)).toBe(52_010);
  expect(table.timeOf(52_010)).toBeCloseTo(50);
  expect(table.timeOf(0)).toBe(0);
  expect(table.byteAt(1_000)).toBe(102_010);
});

test('with a table of the encoder, times follow it, there and back', () => {
  const head = frames(2);
  head.set(new TextEncoder().encode('Xing'), 36);
  head[43] = 4;
  // The first half of the time takes a quarter of the bytes.
  head.set(Array.from({ length: 100 }, (_, percent) => (percent < 50 ? (percent * 64) / 50 : 64 + ((percent - 50) * 192) / 50)), 44);
  const table = new Timetable(head, 1_000_000, 100);
  expect(table.byteAt(50) / 1_000_000).toBeCloseTo(0.25, 1);
  for (const second of [1, 20, 50, 77, 99]) expect(table.timeOf(table.byteAt(second))).toBeCloseTo(second, 0);
});

test('what waits is played in order, and all again if that is wanted', () => {
  const queue = new PlayQueue<string>();
  queue.fill(['a', 'b']);
  expect([queue.next(null), queue.next('a'), queue.next('b')]).toEqual(['a', 'b', null]);
  queue.repeat = 'all';
  expect([queue.next(null), queue.next('a')]).toEqual(['a', 'b']);
  expect(queue.previous('b')).toBe('a');
  expect(queue.coming).toEqual(['b']);
});

test('what waits can be put in another order, and not beyond its ends', () => {
  const queue = new PlayQueue<string>();
  queue.fill(['a', 'b', 'c']);
  queue.move(2, -1);
  expect(queue.coming).toEqual(['a', 'c', 'b']);
  queue.move(0, -1);
  queue.move(2, 1);
  expect(queue.coming).toEqual(['a', 'c', 'b']);
  queue.move(0, 1);
  expect(queue.coming).toEqual(['c', 'a', 'b']);
});

test('shuffled, each is played once before any is played again', () => {
  const queue = new PlayQueue<number>(() => 0.99);
  queue.shuffle = true;
  queue.fill([1, 2, 3]);
  expect([queue.next(null), queue.next(3), queue.next(2)]).toEqual([3, 2, 1]);
});

test('a full queue takes no more', () => {
  const queue = new PlayQueue<number>();
  for (let item = 0; item < QUEUE_MOST; item++) expect(queue.add(item)).toBe(true);
  expect(queue.add(0)).toBe(false);
});

test('ten seconds are fetched first, or all there is, or, for a fast start, what comes fast enough', () => {
  const here = { ahead: 9, isLast: false, waited: 2, fastStart: false, speed: 1 };
  expect(isEnough(here)).toBe(false);
  expect(isEnough({ ...here, ahead: 10 })).toBe(true);
  expect(isEnough({ ...here, isLast: true })).toBe(true);
  expect(isEnough({ ...here, ahead: 0, isLast: true })).toBe(false);
  expect(isEnough({ ...here, fastStart: true })).toBe(true);
  expect(isEnough({ ...here, fastStart: true, speed: 4 })).toBe(false);
  expect(isEnough({ ...here, fastStart: true, ahead: 0.5 })).toBe(false);
});

test('places are kept but for beginnings and ends, and nonsense is not read', () => {
  let kept = 'nonsense';
  const storage = { getItem: () => kept, setItem: (_key: string, value: string) => void (kept = value) };
  const memory = new PlayerMemory(storage);
  expect(memory.taste).toMatchObject({ volume: 1, fastStart: false });
  memory.keepPlace('a', 50, 100);
  memory.keepPlace('b', 2, 100);
  memory.keepPlace('c', 97, 100);
  const later = new PlayerMemory(storage);
  expect(['a', 'b', 'c'].map((file) => later.placeOf(file))).toEqual([50, 0, 0]);
});

test('tries are 0.5, 1, 2 and then 4 seconds apart', () => {
  expect([0, 1, 2, 3, 4, 99].map(retryDelay)).toEqual([500, 1_000, 2_000, 4_000, 4_000, 4_000]);
});

test('each column has the loudest of its samples', () => {
  const columns = new Float32Array(COLUMNS);
  note(columns, new Float32Array([0.25, -0.5, 2, 0]), 0.5, 1);
  expect([0, 150, 187, 225, 262].map((column) => columns[column])).toEqual([0, 0.25, 0.5, 1, 0]);
});

test('times and titles are as people write them', () => {
  expect([0, 61.9, 3_600].map(clock)).toEqual(['0:00', '1:01', '1:00:00']);
  expect(titleOf({ title: null, name: 'sounds/bells/ding-dong.wav' })).toBe('ding-dong');
});
