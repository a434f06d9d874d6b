import { expect, test } from 'vitest';

import { describe as say } from './page-state';
import type { SessionView, StreamView } from '../session/session';

const stream: StreamView = { id: 'a', own: false, name: 'Anna', listeners: 0, state: 'off', level: -127, volume: 1 };
const own = (listeners: number | null): StreamView => ({ ...stream, id: 'b', own: true, listeners });

function view(changes: Partial<SessionView>): SessionView {
  const quiet = { connected: true, talk: 'idle', problem: null, microphone: 'off', muted: false, listening: false };
  return { ...quiet, streams: [], mp3Port: null, ...changes } as SessionView;
}

test('whoever is live reads how many listen, as soon as that is known', () => {
  const live = (listeners: number | null) => say(view({ talk: 'live', microphone: 'live', streams: [own(listeners)] }), false)[1];
  expect([null, 0, 1, 4].map(live)).toEqual([undefined, 'Nobody listens yet.', 'Heard by one.', 'Heard by 4.']);
});

test('the microphone is said to be on exactly while it is', () => {
  expect(say(view({ talk: 'reconnecting', microphone: 'live' }), false)[0]).toMatch(/microphone is on/);
  expect(say(view({ talk: 'reconnecting' }), false)[0]).not.toMatch(/microphone is on/);
  expect(say(view({ talk: 'failed' }), false)[1]).toMatch(/microphone is off/);
});

test('a relay that stays away is told apart from one that is being looked for', () => {
  expect(say(view({ connected: false }), false)[0]).toMatch(/^Looking/);
  expect(say(view({ connected: false, listening: true }), true)).toEqual(say(view({ connected: false }), true));
  expect(say(view({ connected: false }), true).join(' ')).toMatch(/^The relay is out of reach.*keeps trying/);
});

test('speakers that are heard are counted', () => {
  const playing: StreamView = { ...stream, state: 'playing' };
  expect(say(view({ listening: true, streams: [stream, playing] }), false)[1]).toBe('You hear one speaker.');
  expect(say(view({ listening: true, streams: [stream] }), false)[1]).toMatch(/nobody/);
});
