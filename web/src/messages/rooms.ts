// Words of making a room, and of the way into one.

import { translator } from '../lib/i18n';

export const roomsWords = translator({
  en: {
    open: 'Create a room',
    name: 'Room name',
    kind: 'Who may talk',
    intercom: 'Everybody talks and listens',
    onlyHost: 'I talk, the others listen',
    pin: 'PIN (optional)',
    pinHint: '4 to 12 digits, needed to join.',
    max: 'Maximum people (optional)',
    make: 'Create',
    making: 'Creating…',
    failed: 'That didn’t work: {reason}',
    unreachable: 'the relay doesn’t answer. Try again.',
  },
  de: {
    open: 'Raum anlegen',
    name: 'Name des Raums',
    kind: 'Wer sprechen darf',
    intercom: 'Alle sprechen und hören zu',
    onlyHost: 'Ich spreche, die anderen hören zu',
    pin: 'PIN (optional)',
    pinHint: '4 bis 12 Ziffern, nötig zum Eintreten.',
    max: 'Höchstens Personen (optional)',
    make: 'Anlegen',
    making: 'Wird angelegt…',
    failed: 'Das hat nicht funktioniert: {reason}',
    unreachable: 'Die Anlage antwortet nicht. Versuche es noch einmal.',
  },
});

/** Why somebody is not in a room, and what to do: words for every code that the relay has. */
export const entryWords = translator({
  en: {
    pin_needed: 'This room has a PIN.',
    wrong_pin: 'Wrong PIN. Try again.',
    too_fast: 'Too many tries. Wait a minute, then try again.',
    name_taken: 'Somebody in the room has this name already. Choose another one.',
    no_room: 'This room no longer exists.',
    full: 'The room is full. Somebody has to leave before you can join.',
    locked: 'The room is locked. Ask the host to unlock it.',
    kicked: 'The host removed you from this room. You can join again in a minute.',
    replaced: 'You are in this room in another tab, or on another device.',
    closed: 'The host has closed the room.',
    host_left: 'The host left, and the room closed.',
    idle: 'The room was empty for a long time and closed.',
    not_permitted: 'Your link doesn’t include this room.',
    other: 'The relay said: {message}',
    askPin: 'PIN',
    askName: 'Your name',
    enter: 'Join',
    again: 'Try again',
    here: 'Use it here',
    others: 'Other rooms',
  },
  de: {
    pin_needed: 'Dieser Raum hat eine PIN.',
    wrong_pin: 'Falsche PIN. Versuche es noch einmal.',
    too_fast: 'Zu viele Versuche. Warte eine Minute, und versuche es dann noch einmal.',
    name_taken: 'Jemand im Raum heißt schon so. Wähle einen anderen Namen.',
    no_room: 'Diesen Raum gibt es nicht mehr.',
    full: 'Der Raum ist voll. Jemand muss gehen, bevor du eintreten kannst.',
    locked: 'Der Raum ist abgeschlossen. Bitte den Gastgeber, ihn aufzuschließen.',
    kicked: 'Der Gastgeber hat dich aus diesem Raum entfernt. In einer Minute kannst du wieder eintreten.',
    replaced: 'Du bist in diesem Raum in einem anderen Tab oder auf einem anderen Gerät.',
    closed: 'Der Gastgeber hat den Raum geschlossen.',
    host_left: 'Der Gastgeber ist gegangen, und der Raum wurde geschlossen.',
    idle: 'Der Raum war lange leer und wurde geschlossen.',
    not_permitted: 'Dein Link gilt nicht für diesen Raum.',
    other: 'Die Anlage sagt: {message}',
    askPin: 'PIN',
    askName: 'Dein Name',
    enter: 'Eintreten',
    again: 'Noch einmal versuchen',
    here: 'Hier benutzen',
    others: 'Andere Räume',
  },
});

const REASONS = [
  ...['pin_needed', 'wrong_pin', 'too_fast', 'name_taken', 'no_room', 'full', 'locked', 'kicked'],
  ...['replaced', 'closed', 'host_left', 'idle', 'not_permitted'],
] as const;

/** Why somebody is not in the room, as a person reads it. */
export function entryRefusal({ code, message }: { code: string; message: string }): string {
  const known = (REASONS as readonly string[]).includes(code);
  return known ? entryWords(code as Parameters<typeof entryWords>[0]) : entryWords('other', { message });
}
