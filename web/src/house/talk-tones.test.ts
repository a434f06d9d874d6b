import { expect, test } from 'vitest';

import type { HouseView } from './house-view';
import { TalkTones } from './talk-tones';

/** The kitchen, in which these people are, as the page has it. */
function kitchen(people: object[], more: object = {}, room: object = {}): HouseView {
  const place = { room: { id: 'kitchen', talkTones: true, ...room }, listening: true, inside: { stage: 'inside', carries: true, people } };
  return { places: [place], own: null, talk: 'idle', calls: { current: null }, ...more } as unknown as HouseView;
}

const SILENT = [{ talking: false, you: true, joined: true }, { talking: false, joined: true }];
const TALKING = [{ talking: false, you: true, joined: true }, { talking: true, joined: true }];

/** The tones for one view after the other, at these times. */
function tones(...views: [at: number, view: HouseView][]): (string | null)[] {
  const followed = new TalkTones();
  return views.map(([at, view]) => followed.follow(view, at));
}

test('a tone says that somebody begins in a quiet room, and one that they have finished', () => {
  expect(tones([0, kitchen(SILENT)], [5_000, kitchen(TALKING)], [6_000, kitchen(TALKING)], [7_000, kitchen(SILENT)])).toEqual([null, 'begin', null, 'end']);
});

test('in a conversation nobody is told who begins', () => {
  expect(tones([0, kitchen(TALKING)], [1_000, kitchen(SILENT)], [5_999, kitchen(TALKING)], [7_000, kitchen(SILENT)], [12_000, kitchen(TALKING)])).toEqual([null, 'end', null, 'end', 'begin']);
});

test('what is announced, what we say, and what goes on when we come gives no tone', () => {
  const announced = [{ talking: true, joined: false }];
  const we = [{ talking: true, you: true, joined: true }];
  expect(tones([0, kitchen(TALKING)], [10_000, kitchen(announced)], [20_000, kitchen(we)])).toEqual([null, 'end', null]);
  expect(tones([0, kitchen(SILENT)], [9_000, kitchen(TALKING, { talk: 'live' })], [19_000, kitchen(SILENT, { calls: { current: {} } })])).toEqual([null, null, null]);
});

test('a room that wants none has none, nor has one that is not listened to', () => {
  expect(tones([0, kitchen(SILENT, {}, { talkTones: false })], [9_000, kitchen(TALKING, {}, { talkTones: false })])).toEqual([null, null]);
  const deaf = (view: HouseView) => ({ ...view, places: view.places?.map((place) => ({ ...place, listening: false })) ?? null });
  expect(tones([0, deaf(kitchen(SILENT))], [9_000, deaf(kitchen(TALKING))], [10_000, kitchen(TALKING)])).toEqual([null, null, null]);
});
