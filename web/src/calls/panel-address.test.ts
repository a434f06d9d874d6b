import { expect, test } from 'vitest';

import { DEFAULT_CHOICES } from '../session/choices';
import { becomePanel, panelHash, panelIn } from './panel-address';

const HALL = { key: '6f1c-4', name: 'Flur & Küche', rooms: ['home', 'kueche'] };

test('what an address says is what was written into it', () => {
  expect(panelIn(panelHash(HALL))).toEqual(HALL);
  expect(panelIn(panelHash({ ...HALL, rooms: [] }))).toEqual({ ...HALL, rooms: [] });
  for (const other of ['', '#/panel', '#/panel?', '#/panel?name=Hall', '#/panel?key=1', '#/calls?name=a&key=b']) expect(panelIn(other)).toBeNull();
});

test('a browser that has kept nothing is that device again, and one that knows who it is stays so', () => {
  const kept = new Map<string, string>();
  const storage = { getItem: (key: string) => kept.get(key) ?? null, setItem: (key: string, value: string) => void kept.set(key, value) };
  expect(becomePanel(panelHash(HALL), { ...DEFAULT_CHOICES, joined: true }, storage)).toBeNull();
  expect(kept.size).toBe(0);
  expect(becomePanel(panelHash(HALL), DEFAULT_CHOICES, storage)).toEqual({ name: HALL.name, joined: true, listensTo: HALL.rooms });
  expect([...kept.values()]).toEqual([HALL.key]);
  expect(becomePanel('#/panel', DEFAULT_CHOICES, storage)).toBeNull();
});
