import { expect, test } from 'vitest';

import type { Room } from '../rooms/room-protocol';
import type { RoomView } from '../rooms/room-view';
import { isOpenToAll } from './announcing';
import type { PlaceView } from './house-view';
import { hearersOf, nameOf, signsOf, whoHears, whoIsThere } from './presence';

const person = (name: string, more: object = {}) => ({ id: name, name, talking: false, joined: true, hears: true, ...more });

function place(room: Partial<Room>, inside: object | null = null): PlaceView {
  const whole = { id: 'kitchen', name: 'Kitchen', kind: 'intercom', participants: room.people?.length ?? 0, hearing: 0, people: [], ...room };
  return { room: whole as unknown as Room, inside: inside as RoomView | null, listening: false };
}

/** We are in the room, as Ben. */
const inside = (people: object[]) => ({ stage: 'inside', people });

test('home is everyone, unless its owner calls it otherwise', () => {
  expect(nameOf({ id: 'home', name: 'Home' })).toBe('Everyone');
  expect(nameOf({ id: 'home', name: 'Villa' })).toBe('Villa');
  expect(nameOf({ id: 'home-2', name: 'Home' })).toBe('Home');
});

test('whoever reads is not among those who hear', () => {
  const people = [person('Anna'), person('Ben')];
  const ours = inside([people[0] ?? {}, { ...people[1], you: true }]);
  expect(hearersOf(place({ hearing: 2, people }))).toBe(2);
  expect(hearersOf(place({ hearing: 2, people }, ours))).toBe(1);
  // The list is as the relay counted it, also where we know better already.
  const before = [person('Anna'), person('Ben', { hears: false })];
  expect(hearersOf(place({ hearing: 1, people: before }, ours))).toBe(1);
});

test('behind a PIN it is known how many are there, and not who', () => {
  expect(whoIsThere(place({ pin: true, participants: 2 }))).toBe('2 people');
  expect(signsOf(place({ pin: true, locked: true }).room)).toEqual(['PIN', 'locked']);
  expect(isOpenToAll(place({ pin: true }).room)).toBe(false);
});

test('who talks comes before who is there, and a crowd is a number', () => {
  expect(whoIsThere(place({}))).toBe('Nobody is here');
  expect(whoIsThere(place({ people: [person('Anna'), person('Ben')] }))).toBe('Anna, Ben');
  expect(whoIsThere(place({ people: ['A', 'B', 'C', 'D', 'E'].map((name) => person(name)) }))).toBe('A, B, C and 2 more');
  expect(whoIsThere(place({ people: [person('Anna'), person('Ben', { talking: true })] }))).toBe('Ben is talking');
  expect(whoIsThere(place({ people: [person('Gong', { talking: true, joined: false })] }))).toBe('Now: Gong');
  expect(whoIsThere(place({ people: [person('A', { talking: true }), person('B', { talking: true })] }))).toBe('2 are talking');
});

test('players and the loudspeaker are told apart from people, and nobody is said to be there who is not', () => {
  const listening = { players: 2, clients: 1, loudspeakers: 1 };
  expect(whoHears(place({ hearing: 4, listening }))).toBe('4 listening · 2 players · loudspeaker');
  expect(whoHears(place({}))).toBe('');
  expect(whoHears(place({ people: [person('Anna', { hears: false })] }))).toBe('Nobody is listening');
  expect(whoHears(place({ people: [person('Ben')], hearing: 1 }, inside([person('Ben', { you: true })])))).toBe('Nobody else is listening');
});
