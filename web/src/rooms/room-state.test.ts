import { describe, expect, test } from 'vitest';

import { ROOM_WORDS, type Participant, type Room, type RoomMessage } from './room-protocol';
import { after, chatRead, speechIn, MAX_CHAT, personIn, spreadOf, type RoomState } from './room-state';

const room: Room = {
  ...{ id: 'kitchen', name: 'Kitchen', kind: 'intercom', permanent: true, locked: false, pin: false, host: null, pinned: null },
  ...{ max: 20, participants: 2, talking: 0, createdAt: 0, url: 'stream/room/kitchen.mp3' },
};

const person = (id: string, more: Partial<Participant> = {}): Participant => ({
  ...{ id, name: id.toUpperCase(), host: false, muted: false, word: true, talking: false, music: false, quality: null },
  ...more,
});

const joined: RoomMessage = { type: 'joined', room, you: 'a', key: 'k', participants: [person('a'), person('b')], chat: [] };

/** The state after all of these, from the beginning. */
function told(...messages: RoomMessage[]): RoomState {
  const state = [joined, ...messages].reduce<RoomState | null>(after, null);
  if (!state) throw new Error('not in a room');
  return state;
}

const line = (from: string, at: number) => ({ type: 'chat', from, name: from, text: 'hello', at, host: false }) as const;

describe('people', () => {
  test('come, change in their place, and go', () => {
    const come = told({ type: 'participant_joined', participant: person('c') });
    expect(come.participants.map(({ id }) => id)).toEqual(['a', 'b', 'c']);
    const changed = after(come, { type: 'participant_changed', participant: person('b', { muted: true }) });
    expect(changed?.participants.map(({ muted }) => muted)).toEqual([false, true, false]);
    const gone = after(changed, { type: 'participant_left', who: 'b', reason: 'gone' });
    expect(gone?.participants.map(({ id }) => id)).toEqual(['a', 'c']);
  });

  test('who is told of twice is there once', () => {
    expect(told({ type: 'participant_joined', participant: person('b') }).participants).toHaveLength(2);
  });

  test('talk and share music, each told apart', () => {
    const music = told({ type: 'talking', who: 'b', on: true, music: true });
    expect(speechIn(music)).toBe('none');
    expect(music.participants[1]).toMatchObject({ talking: false, music: true });
    expect(speechIn(told({ type: 'talking', who: 'b', on: true, music: false }))).toBe('usual');
  });

  test('who falls silent leaves no level behind', () => {
    const levels: RoomMessage = { type: 'levels', levels: { b: -20, c: -30 } };
    expect(told(levels, { type: 'talking', who: 'b', on: false, music: false }).levels).toEqual({ c: -30 });
  });
});

describe('those who have not joined', () => {
  test('are listed as the relay tells, and counted where they are many', () => {
    const listeners = [{ id: 'x', name: 'Radio', kind: 'player' } as const];
    const state = told({ type: 'listeners', listeners, count: 60 });
    expect(state).toMatchObject({ listeners, listening: 60, guesses: 0 });
    expect(after(state, { type: 'listeners', listeners: [], count: 0 })?.listening).toBe(0);
  });

  test('who guess at the PIN are told of to the host', () => {
    expect(told({ type: 'pin_guessed', wrong: 12 }).guesses).toBe(12);
  });
});

describe('slots', () => {
  const slots: RoomMessage = { type: 'slots', slots: [{ mid: '2', who: 'b', music: false }] };

  test('are of the person who is in them now', () => {
    const state = told(slots);
    expect(personIn(state, '2')?.name).toBe('B');
    expect(personIn(state, '3')).toBeUndefined();
    const stolen = told(slots, { type: 'participant_joined', participant: person('c') }, { type: 'slots', slots: [{ mid: '2', who: 'c', music: false }] });
    expect(personIn(stolen, '2')?.name).toBe('C');
  });

  test('of whoever leaves are free', () => {
    expect(personIn(told(slots, { type: 'participant_left', who: 'b', reason: 'left' }), '2')).toBeUndefined();
  });
});

describe('chat', () => {
  test('counts what others wrote until it is read', () => {
    const state = told(line('b', 1), line('a', 2), line('b', 3));
    expect(state.unread).toBe(2);
    expect(chatRead(state).unread).toBe(0);
    expect(state.chat).toHaveLength(3);
  });

  test('is bounded, and the oldest lines go', () => {
    const state = told(...Array.from({ length: MAX_CHAT + 5 }, (_, at) => line('b', at)));
    expect(state.chat).toHaveLength(MAX_CHAT);
    expect(state.chat[0]?.at).toBe(5);
  });

  test('of a break is news, and what was read before is not', () => {
    const state = chatRead(told(line('b', 1)));
    const chat = [1, 2].map((at) => ({ from: 'b', name: 'b', text: 'hello', at, host: false }));
    expect(after(state, { ...joined, chat })?.unread).toBe(1);
  });
});

test('guests hear so far apart in time, once two are known', () => {
  const guests = [80, null, 140].map((delay, index) => ({ id: String(index), name: '', rtt: 1, loss: 0, jitter: 1, delay, quality: null }));
  expect(spreadOf({ guests })).toBe(60);
  expect(spreadOf({ guests: guests.slice(0, 2) })).toBeNull();
  expect(spreadOf(null)).toBeNull();
});

test('whoever is put out, or leaves, is in no room', () => {
  expect(after(told(), { type: 'removed', reason: 'kicked', message: '' })).toBeNull();
  expect(after(told(), { type: 'room_closed', reason: 'idle', message: '' })).toBeNull();
  expect(after(told(), { type: 'left' })).toBeNull();
  expect(after(null, { type: 'talking', who: 'a', on: true, music: false })).toBeNull();
});

test('frames of rooms are read by their type, and others passed over', () => {
  expect(ROOM_WORDS.parse('{"type":"pong"}')).toEqual({ type: 'pong' });
  for (const frame of ['{"type":"stream_available","stream_id":"x"}', '{"type":"new"}', 'x', 1]) expect(ROOM_WORDS.parse(frame)).toBeNull();
});
