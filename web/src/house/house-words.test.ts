import { expect, test } from 'vitest';

import type { HouseView } from './house-view';
import { describeHouse } from './house-words';

const KITCHEN = { id: 'kitchen', name: 'Kitchen', hearing: 2, people: [] };

function view(changes: object): HouseView {
  const quiet = { connected: true, joined: true, talk: 'idle', microphone: 'off', muted: false, blockage: null, listening: true, heard: [] };
  return { ...quiet, places: [{ room: KITCHEN, inside: null }], stations: [], own: null, calls: { current: null }, talkingIn: KITCHEN, ...changes } as unknown as HouseView;
}

const words = (changes: object, isAway = false) => describeHouse(view(changes), isAway).join(' ');

test('whoever is live reads where, and how many hear it', () => {
  expect(words({ talk: 'live', microphone: 'live' })).toBe('You are live in Kitchen: the microphone is on. Heard by 2.');
  expect(words({ talk: 'live', microphone: 'live', muted: true })).toMatch(/^Muted: nobody hears you/);
  const alone = { places: [{ room: { ...KITCHEN, hearing: 0 }, inside: null }] };
  expect(words({ talk: 'live', microphone: 'live', ...alone })).toMatch(/Nobody is listening yet\.$/);
});

test('whoever talks to one device, or in a call, reads with whom', () => {
  const hall = { id: 'hall', name: 'Hall', station: 'here', hearing: 1, people: [] };
  const own = { room: { id: 'anna', name: 'Anna', station: 'here', hearing: 2, people: [] }, inside: null };
  const live = { talk: 'live', microphone: 'live', own, stations: [{ room: hall, inside: null }] };
  expect(words({ ...live, talkingIn: hall })).toBe('You are talking to Hall: the microphone is on. Heard by 1.');
  const call = { from: { station: 'anna', name: 'Anna' }, to: [{ station: 'hall', name: 'Hall' }], by: 'hall', room: 'anna' };
  expect(words({ ...live, talkingIn: own.room, calls: { current: { role: 'talking', call } } })).toMatch(/^You are talking to Hall:/);
  const visitor = { ...own, inside: { people: [{ name: 'Ben' }, { name: 'Anna', you: true }] } };
  expect(words({ ...live, own: visitor, talkingIn: own.room })).toMatch(/^You are talking to Ben:/);
  expect(words({ heard: [{ room: own.room, person: { name: 'Ben' } }] })).toBe('The microphone is off. Ben is talking to you.');
});

test('whoever listens reads whom they hear', () => {
  const heard = (name: string, joined = true) => ({ room: KITCHEN, person: { name, joined } });
  expect(words({})).toBe('The microphone is off. Nobody is talking.');
  expect(words({ listening: false })).toBe('The microphone is off. You aren’t listening.');
  expect(words({ heard: [heard('Anna')] })).toBe('The microphone is off. Anna is talking in Kitchen.');
  expect(words({ heard: [heard('Gong', false)] })).toBe('The microphone is off. Now in Kitchen: Gong.');
  expect(words({ heard: [heard('Anna'), heard('Ben')] })).toBe('The microphone is off. 2 people are talking.');
});

test('what is in the way comes first, and nothing is said that cannot be known then', () => {
  expect(words({ blockage: { port: 8_082 } })).toBe('Sound can’t get through: UDP 8082 is blocked (firewall, guest Wi-Fi, VPN).');
  expect(words({ connected: false }, true)).toBe('The relay can’t be reached. This page keeps trying.');
  expect(words({ connected: false })).toBe('Looking for the relay…');
});

test('no state claims that the microphone is off while it is on, or the other way round', () => {
  for (const talk of ['idle', 'starting', 'live', 'reconnecting', 'failed']) {
    const [open, closed] = [words({ talk, microphone: 'live' }), words({ talk, microphone: 'off' })];
    if (talk !== 'idle' && talk !== 'failed') expect(open).toMatch(/microphone is on|microphone stays on/);
    if (talk !== 'live') expect(closed).not.toMatch(/microphone is on/);
  }
});
