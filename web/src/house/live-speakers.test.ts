import { expect, test, vi } from 'vitest';

import type { Announcement } from './announcing';
import type { HouseView } from './house-view';
import { LiveSpeakers, type LiveRelay } from './live-speakers';

const CHOICES = { liveOn: { kitchen: ['media_player.kitchen'] } };

const talking = (room: string | null) => ({ talk: room ? 'live' : 'idle', talkingIn: room ? { id: room } : null }) as unknown as HouseView;

/** A relay that answers when it is told to. */
function relay() {
  const said: string[] = [];
  let answer: (announcement: Announcement) => void = () => undefined;
  const fake: LiveRelay = {
    begin: (room, players) => {
      said.push(`begin ${room} on ${players.join()}`);
      return new Promise((resolve) => (answer = resolve));
    },
    follow: () => new Promise(() => undefined),
    stop: ({ id }) => {
      said.push(`stop ${String(id)}`);
      return Promise.resolve();
    },
  };
  return { said, fake, answer: (id: string) => { answer({ id, state: 'playing', reason: '', parts: [] }); } };
}

test('players play while somebody talks, once for each press, and are stopped at its end', async () => {
  const { said, fake, answer } = relay();
  const speakers = new LiveSpeakers(fake, () => undefined);
  speakers.follow(talking('kitchen'), CHOICES);
  speakers.follow(talking('kitchen'), CHOICES);
  answer('1');
  await vi.waitFor(() => { expect(speakers.shown).toHaveLength(1); });
  speakers.follow(talking(null), CHOICES);
  speakers.follow(talking(null), CHOICES);
  expect(said).toEqual(['begin kitchen on media_player.kitchen', 'stop 1']);
});

test('whoever lets go before the relay has answered leaves nothing playing', async () => {
  const { said, fake, answer } = relay();
  const speakers = new LiveSpeakers(fake, () => undefined);
  speakers.follow(talking('kitchen'), CHOICES);
  speakers.follow(talking(null), CHOICES);
  answer('1');
  await vi.waitFor(() => { expect(said).toContain('stop 1'); });
});

test('where nothing was chosen nothing plays', () => {
  const { said, fake } = relay();
  new LiveSpeakers(fake, () => undefined).follow(talking('home'), CHOICES);
  expect(said).toEqual([]);
});
