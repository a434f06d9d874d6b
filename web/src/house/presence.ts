// Who is in a room, and who hears it, as a person reads it. Pure functions of what the relay tells.

import { houseWords as t } from '../messages/house';
import type { Person, Room } from '../rooms/room-protocol';
import { HOME } from './house-session';
import type { PlaceView } from './house-view';

/** Names that are written out; of further people it is said how many they are. */
const NAMED = 3;

/** What the relay calls the room of those who name none, unless its owner calls it otherwise. */
const USUAL_HOME = 'Home';

/** How a room is called here. */
export function nameOf({ id, name }: Pick<Room, 'id' | 'name'>): string {
  return id === HOME && name === USUAL_HOME ? t('everyone') : name;
}

/** Who is there, as far as we may know: those who are in the room know sooner. */
export function peopleIn({ room, inside }: PlaceView): readonly (Person & { you?: boolean })[] {
  return inside?.people.length ? inside.people : (room.people ?? []);
}

/** How many others hear what is said in a room. */
export function hearersOf({ room, inside }: PlaceView): number {
  const you = inside?.people.find((person) => person.you);
  // Counted by the relay with the list, so taken out as they are in the list.
  const listed = room.people?.find(({ id }) => id === you?.id)?.hears ?? you?.hears ?? false;
  return Math.max(0, (room.hearing ?? 0) - (listed ? 1 : 0));
}

/** Who talks there, or who is there. */
export function whoIsThere(place: PlaceView): string {
  const people = peopleIn(place);
  const talking = people.filter((person) => person.talking);
  if (place.room.station && !talking.length && !people.some(({ you }) => you)) return t(`station_${place.room.station}`);
  if (talking.length > 1) return t('talkMany', { count: talking.length });
  if (talking[0]) return t(talking[0].joined === false ? 'heardNow' : 'talks', { name: called(talking[0]) });
  if (people.length) return namesOf(people.map(called));
  const { participants } = place.room;
  if (participants === 1) return t('people');
  return participants ? t('peopleMany', { count: participants }) : t('nobodyThere');
}

/** Who hears it besides us: how many, and in which ways. Empty where there is nobody at all. */
export function whoHears(place: PlaceView): string {
  if (place.room.station) return '';
  const count = hearersOf(place);
  if (count === 0 && !peopleIn(place).length && !place.room.participants) return '';
  if (count === 0) return place.inside?.stage === 'inside' ? t('nobodyElse') : t('nobodyListens');
  const { players = 0, loudspeakers = 0 } = place.room.listening ?? {};
  const ways = [
    ...(players === 1 ? [t('onePlayer')] : players ? [t('players', { count: players })] : []),
    ...(loudspeakers ? [t('loudspeaker')] : []),
  ];
  return [count === 1 ? t('oneListener') : t('listeners', { count }), ...ways].join(' · ');
}

/** What keeps people out, or silent. */
export function signsOf({ kind, pin, locked, doNotDisturb }: Room): string[] {
  return [...(doNotDisturb ? [t('doNotDisturb')] : []), ...(kind === 'broadcast' ? [t('broadcast')] : []), ...(pin ? [t('withPin')] : []), ...(locked ? [t('locked')] : [])];
}

function called({ name, you }: Pick<Person, 'name'> & { you?: boolean }): string {
  return you ? `${name} (${t('you')})` : name;
}

function namesOf(names: readonly string[]): string {
  const [named, others] = [names.slice(0, NAMED).join(', '), names.length - NAMED];
  return others > 0 ? t('more', { names: named, count: others }) : named;
}
