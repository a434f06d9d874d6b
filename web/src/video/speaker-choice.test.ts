import { expect, test } from 'vitest';

import { HOLD_MS, SpeakerChoice, type Candidate } from './speaker-choice';

const camera = (key: string, talking = false, you = false): Candidate => ({ key, kind: 'camera', talking, you });

test('whoever talks is large, and stays so for a moment after another one begins', () => {
  const choice = new SpeakerChoice();
  expect(choice.choose([camera('anna'), camera('ben', true)], 0)).toBe('ben');
  expect(choice.choose([camera('anna', true), camera('ben')], HOLD_MS - 1)).toBe('ben');
  expect(choice.choose([camera('anna', true), camera('ben')], HOLD_MS)).toBe('anna');
  expect(choice.choose([camera('anna'), camera('ben')], 60_000)).toBe('anna');
});

test('whoever still talks is not interrupted by another one', () => {
  const choice = new SpeakerChoice();
  choice.choose([camera('anna', true), camera('ben')], 0);
  expect(choice.choose([camera('anna', true), camera('ben', true)], 60_000)).toBe('anna');
});

test('a screen goes before cameras, and what was tapped before all', () => {
  const choice = new SpeakerChoice();
  const pictures: Candidate[] = [camera('anna', true), { key: 'screen', kind: 'screen', talking: false, you: false }];
  expect(choice.choose(pictures, 0)).toBe('screen');
  choice.pin('anna');
  expect(choice.choose(pictures, 0)).toBe('anna');
  choice.pin(null);
  expect(choice.choose(pictures, 0)).toBe('screen');
});

test('nobody sees themselves large while there is somebody else, and whoever left is large no more', () => {
  const choice = new SpeakerChoice();
  expect(choice.choose([camera('me', true, true), camera('ben')], 0)).toBe('ben');
  expect(choice.choose([camera('me', true, true)], 1)).toBe('me');
  expect(choice.choose([], 2)).toBe(null);
});
