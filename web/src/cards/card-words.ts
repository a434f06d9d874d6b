// What a card shows, as a person reads it.

import type { PlaceView } from '../house/house-view';
import { whoHears, whoIsThere } from '../house/presence';
import { t } from '../messages/card';
import { problemInWords } from '../messages/problems';
import { isTalking } from '../rooms/room-voice';
import { microphoneObstacle } from '../session/microphone';
import type { CardView } from './place';

/** Who is in the card's room, and who hears it, on one line. */
export function presenceInWords(place: PlaceView): string {
  return [whoIsThere(place), whoHears(place)].filter(Boolean).join(' · ');
}

/** How the microphone is. */
export function talkInWords(view: CardView | null): string {
  if (!view) return t('looking');
  if (view.talk === 'idle') return view.connected ? t('idle') : t('looking');
  if (view.talk === 'failed') return t('idle');
  if (view.talk === 'starting') return view.microphone === 'live' ? t('starting') : t('opening');
  return t(view.talk);
}

/** The same for one short line; there the colour of the button tells that the microphone is on. */
export function talkBriefly(view: CardView | null): string {
  const state = view?.talk;
  return state === 'starting' || state === 'live' || state === 'reconnecting' ? t(`${state}Briefly`) : talkInWords(view);
}

/** Why one cannot begin to talk here; null where one can. Whoever talks already can always stop. */
export function whyNotTalk(view: CardView | null): string | null {
  const obstacle = microphoneObstacle();
  if (obstacle) return problemInWords({ code: obstacle, detail: '' });
  return view?.connected || isTalking(view?.talk ?? 'idle') ? null : t('looking');
}

/** Whom one hears. */
export function hearingInWords(view: CardView | null): string {
  if (!view?.connected) return t('looking');
  if (!view.listening) return t('notHeard');
  const names = view.blocked ? [] : view.talking.flatMap(({ you, name }) => (you ? [] : [name]));
  if (names.length > 1) return t('heardMany', { count: names.length });
  return names[0] ? t('heardOne', { name: names[0] }) : t('heardNobody');
}
