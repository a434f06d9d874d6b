// The state of the house in sentences, the most important first.

import { houseWords as t } from '../messages/house';
import { blockageInWords, obstacleWords } from '../messages/obstacles';
import type { HouseView } from './house-view';
import { partnerOf } from '../calls/calls-view';
import { isTalking } from '../rooms/room-voice';
import { hearersOf, nameOf, peopleIn } from './presence';

/** What the page says of itself. `isAway`: the relay has not been there for a while. */
export function describeHouse(view: HouseView, isAway: boolean): string[] {
  const sentences = [...describeTalk(view, isAway), describeHearing(view), describeListening(view)];
  return sentences.filter((sentence) => sentence !== '');
}

function describeTalk(view: HouseView, isAway: boolean): string[] {
  const isOpen = view.microphone === 'live';
  if (view.blockage) return [blockageInWords(view.blockage), isOpen ? obstacleWords('microphoneOpen') : ''];
  switch (view.talk) {
    case 'idle':
      if (isAway) return [t('awayHint'), t('keepsTrying')];
      return [view.connected ? t('idle') : t('seeking')];
    case 'starting':
      return [isOpen ? t('starting') : t('opening')];
    case 'live':
      return [view.muted ? t('muted') : isToOne(view) ? t('liveTo', { name: talkTarget(view) }) : t('live', { room: talkTarget(view) })];
    case 'reconnecting':
      return [isOpen ? t('reconnectingOpen') : t('reconnecting')];
    case 'failed':
      return [t('failed'), t('idle')];
  }
}

/** Whom we talk to: a room, or somebody by their name; while nothing is said, whom we would. */
export function talkTarget({ talk, talkingIn, selected, own, calls }: HouseView): string {
  if (!isTalking(talk) || !talkingIn) return selected ? nameOf(selected.room) : '';
  if (calls.current?.role === 'talking' && calls.current.call.room === talkingIn.id) return partnerOf(calls.current.call, own?.room.id);
  if (talkingIn.id !== own?.room.id) return nameOf(talkingIn);
  return peopleIn(own).filter(({ you }) => !you).map(({ name }) => name).join(', ');
}

/** Whether what we say is for somebody, rather than for a room. */
function isToOne({ talkingIn }: HouseView): boolean {
  return Boolean(talkingIn?.station);
}

/** Who hears us. */
function describeHearing(view: HouseView): string {
  const place = [...(view.places ?? []), ...view.stations, view.own].find((one) => one?.room.id === view.talkingIn?.id);
  if (view.talk !== 'live' || !place) return '';
  const count = hearersOf(place);
  if (count === 1) return t('heardByOne');
  return count ? t('heardBy', { count }) : t('heardByNone');
}

/** Whom we hear. */
function describeListening({ listening, connected, blockage, heard, talk, joined }: HouseView): string {
  if (!connected || blockage) return '';
  if (!listening) return joined && talk === 'idle' ? t('deaf') : '';
  const [first] = heard;
  if (!first) return talk === 'idle' ? t('listening') : '';
  if (heard.length > 1) return t('hears', { count: heard.length });
  if (first.room.station) return t('hearsYou', { name: first.person.name });
  return t(first.person.joined === false ? 'hearsNow' : 'hearsOne', { name: first.person.name, room: nameOf(first.room) });
}
