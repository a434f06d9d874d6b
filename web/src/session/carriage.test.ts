import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { BLOCKED_MS, Carriage } from './carriage';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

const ANSWER = 'v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=candidate:1 1 udp 2130706175 192.168.1.5 8082 typ host\r\n';

test('a connection that does not carry is told as blocked, with the port, however often it is tried meanwhile', () => {
  const told: (number | null | undefined)[] = [];
  const carriage: Carriage = new Carriage(
    () => false,
    () => told.push(carriage.blockage?.port),
  );
  carriage.tries(ANSWER);
  vi.advanceTimersByTime(BLOCKED_MS / 2);
  carriage.tries('');
  vi.advanceTimersByTime(BLOCKED_MS / 2 - 1);
  expect(told).toEqual([]);
  vi.advanceTimersByTime(1);
  expect(told).toEqual([8082]);
  carriage.tries(ANSWER);
  carriage.ends();
  expect(told).toEqual([8082, undefined]);
});

test('one that carries in time is never told of, and the next one has all its time', () => {
  const told = vi.fn();
  const carriage = new Carriage(() => false, told);
  carriage.tries('');
  vi.advanceTimersByTime(BLOCKED_MS - 1);
  carriage.ends();
  carriage.tries('');
  vi.advanceTimersByTime(BLOCKED_MS - 1);
  expect(told).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  expect(carriage.blockage).toEqual({ port: null });
});

test('an attempt that came to nothing is no blockage while another connection carries', () => {
  const told = vi.fn();
  let carries = true;
  const carriage = new Carriage(() => carries, told);
  carriage.tries(ANSWER);
  vi.advanceTimersByTime(BLOCKED_MS);
  expect(carriage.blockage).toBeNull();
  carries = false;
  carriage.tries(ANSWER);
  vi.advanceTimersByTime(BLOCKED_MS);
  expect(carriage.blockage).toEqual({ port: 8082 });
});
