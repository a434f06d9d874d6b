// The state of things in a room in sentences, the most important first.

import { blockageInWords, obstacleWords } from '../messages/obstacles';
import { roomWords as t } from '../messages/room';
import type { RoomView } from './room-view';

/** What the room says of itself. */
export function describeRoom(view: RoomView): string[] {
  return [describeTalk(view), describeHearers(view), describeOthers(view)].filter((sentence) => sentence !== '');
}

function describeTalk(view: RoomView): string {
  const isOpen = view.microphone === 'live';
  if (view.blockage) return [blockageInWords(view.blockage), isOpen ? obstacleWords('microphoneOpen') : ''].join(' ').trim();
  if (view.stage !== 'inside' && view.talk === 'idle') return view.connected ? t('joining') : t('reconnecting');
  switch (view.talk) {
    case 'idle':
      return view.carries ? t('idle') : t('connecting');
    case 'starting':
      return isOpen ? t('starting') : t('opening');
    case 'live':
      return view.muted ? t('mutedSelf') : t('live');
    case 'reconnecting':
      return isOpen ? t('reconnectingOpen') : t('reconnecting');
    case 'failed':
      return t('failed');
  }
}

/** Who hears us. */
function describeHearers({ talk, muted, people, listenerCount }: RoomView): string {
  if (talk !== 'live' || muted) return '';
  const count = people.filter(({ hears, you }) => hears && !you).length + listenerCount;
  if (count === 1) return t('heardByOne');
  return count ? t('heardBy', { count }) : t('heardByNone');
}

/** Whom we hear. */
function describeOthers({ stage, blockage, listening, people, talk }: RoomView): string {
  if (stage !== 'inside' || blockage) return '';
  if (!listening) return t('deaf');
  const heard = people.filter(({ talking, you }) => talking && !you);
  if (heard.length > 1) return t('manyTalk', { count: heard.length });
  if (heard[0]) return t('oneTalks', { name: heard[0].name });
  return people.length > 1 && talk !== 'live' ? t('nobodyTalks') : '';
}

/** Why nobody can talk here, as far as the room is concerned; null when we can. */
export function whyNotTalk({ people, stage, room }: RoomView): string | null {
  const you = people.find((person) => person.you);
  if (stage !== 'inside' || !you) return null;
  if (you.muted) return t('mutedByHost');
  if (!you.word) return t('noWord');
  // One at a time.
  const other = room?.halfDuplex && !you.talking && people.find(({ talking, joined, you: isUs }) => talking && joined !== false && !isUs);
  return other ? t('oneTalks', { name: other.name }) : null;
}
