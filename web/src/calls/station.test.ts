import { expect, test, vi } from 'vitest';

import type { Call, Callee, CallRequest } from './call-protocol';
import { Station } from './station';

const ANNA = { station: 'anna', name: 'Anna' };

function call(changes: Partial<Call> = {}, callee: Callee['state'] = 'ringing'): Call {
  return { id: 'c1', from: ANNA, to: [{ station: 'hall', name: 'Hall', state: callee }], state: 'ringing', at: 1, room: 'anna', ...changes };
}

/** The station in the hall, which the relay knows. */
function hall() {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const said: CallRequest[] = [];
  const station = new Station(storage, (request) => said.push(request), () => undefined);
  station.take({ type: 'station', id: 'hall', name: 'Hall', key: 'k', calls: [] });
  return { station, said };
}

test('a device says who it is once, again when that is different, and again when the relay was away', () => {
  const { station, said } = hall();
  for (const [name, rooms] of [['Hall', ['home']], ['Hall', ['home']], ['Stairs', ['home']], ['Stairs', []]] as const) station.introduce(name, rooms);
  station.lost();
  station.introduce('Stairs', []);
  station.introduce('', []);
  const request = (name: string, rooms: string[]) => ({ type: 'station', name, rooms, key: 'k' });
  expect(said).toEqual([request('Hall', ['home']), request('Stairs', ['home']), request('Stairs', []), request('Stairs', [])]);
});

test('a call rings here until it is answered by somebody, declined, or over', () => {
  for (const [end, missed] of [
    [call({ state: 'answered', by: 'attic' }, 'stopped'), 0],
    [call({}, 'declined'), 0],
    [call({ state: 'over', outcome: 'missed' }, 'stopped'), 1],
    [call({ state: 'over', outcome: 'cancelled' }, 'stopped'), 1],
    [call({ state: 'over', outcome: 'answered' }, 'stopped'), 0],
    [call({ state: 'over', outcome: 'declined' }, 'declined'), 0],
  ] as const) {
    const { station } = hall();
    station.take({ type: 'call', call: call() });
    expect(station.view.current?.role).toBe('called');
    station.take({ type: 'call', call: end });
    expect(station.view.current).toBeNull();
    expect(station.view.missed).toHaveLength(missed);
  }
});

test('whoever calls is told how it ended, but not of what they gave up themselves', () => {
  vi.useFakeTimers();
  for (const [outcome, shown] of [['declined', true], ['missed', true], ['busy', true], ['cancelled', false], ['answered', false]] as const) {
    const { station } = hall();
    const ours = call({ from: { station: 'hall', name: 'Hall' }, to: [{ station: 'anna', name: 'Anna', state: 'ringing' }] });
    station.take({ type: 'call', call: ours });
    expect(station.view.current?.role).toBe('calling');
    station.take({ type: 'call', call: { ...ours, state: 'over', outcome } });
    expect([station.view.current, station.view.ended !== null]).toEqual([null, shown]);
    vi.advanceTimersByTime(20_000);
    expect(station.view.ended).toBeNull();
  }
  vi.useRealTimers();
});

test('a relay that is away ends no talk, and tells what there is when it is back', () => {
  const { station } = hall();
  station.take({ type: 'call', call: call({ state: 'answered', by: 'hall' }, 'answered') });
  station.lost();
  expect(station.view.current?.role).toBe('talking');
  station.take({ type: 'station', id: 'hall', name: 'Hall', key: 'k', calls: [] });
  expect(station.view.current).toBeNull();
  station.take({ type: 'call', call: call() });
  station.lost();
  expect(station.view.current).toBeNull();
});

test('a device that was removed is none, and nobody can be called from one that has no name', () => {
  const { station, said } = hall();
  station.take({ type: 'station_removed' });
  station.ring(['anna']);
  expect([station.id, station.view.refusal, said]).toEqual([null, 'out_of_order', []]);
});

test('what is refused is told where somebody was called, and nothing else of it', () => {
  const { station } = hall();
  station.refuse('shutting_down');
  expect(station.view.refusal).toBeNull();
  station.ring(['anna']);
  station.refuse('too_fast');
  expect(station.view.refusal).toBe('too_fast');
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  const guest = new Station(storage, () => undefined, () => undefined);
  guest.introduce('Guest', []);
  guest.refuse('not_permitted');
  expect(guest.view.refusal).toBeNull();
  guest.ring(['anna']);
  expect(guest.view.refusal).toBe('not_permitted');
});
