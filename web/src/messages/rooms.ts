// Words of the list of rooms, and of the way into one.

import { translator } from '../lib/i18n';

export const roomsWords = translator({
  en: {
    back: 'Back to the intercom',
    title: 'Rooms',
    none: 'There is no room yet. Open one below.',
    looking: 'Looking for rooms…',
    empty: 'nobody there',
    one: '1 person',
    many: '{count} people',
    talking: 'talking now',
    withPin: 'PIN',
    locked: 'locked',
    broadcast: 'broadcast',
    open: 'Open a room',
    name: 'Name of the room',
    kind: 'Who may talk',
    intercom: 'Everybody talks and hears',
    onlyHost: 'I talk, the others listen',
    pin: 'PIN (may be empty)',
    pinHint: '4 to 12 digits. Whoever wants to come in must know them.',
    max: 'Places (may be empty)',
    make: 'Open it',
    making: 'Opening…',
    failed: 'That did not work: {reason}',
    unreachable: 'the relay does not answer. Try again.',
  },
  de: {
    back: 'Zurück zur Sprechanlage',
    title: 'Räume',
    none: 'Es gibt noch keinen Raum. Öffne unten einen.',
    looking: 'Suche Räume…',
    empty: 'niemand da',
    one: '1 Person',
    many: '{count} Personen',
    talking: 'es wird gesprochen',
    withPin: 'PIN',
    locked: 'abgeschlossen',
    broadcast: 'Sendung',
    open: 'Raum öffnen',
    name: 'Name des Raums',
    kind: 'Wer sprechen darf',
    intercom: 'Alle sprechen und hören',
    onlyHost: 'Ich spreche, die anderen hören zu',
    pin: 'PIN (darf leer sein)',
    pinHint: '4 bis 12 Ziffern. Wer hereinwill, muss sie kennen.',
    max: 'Plätze (darf leer sein)',
    make: 'Öffnen',
    making: 'Wird geöffnet…',
    failed: 'Das ging nicht: {reason}',
    unreachable: 'Die Anlage antwortet nicht. Versuche es noch einmal.',
  },
});

/** Why somebody is not in a room, and what to do: words for every code that the relay has. */
export const entryWords = translator({
  en: {
    pin_needed: 'This room has a PIN.',
    wrong_pin: 'That was not the PIN. Try again.',
    too_fast: 'Too many tries. Wait a minute, then try again.',
    name_taken: 'Somebody in there has this name already. Choose another one.',
    no_room: 'There is no such room any more.',
    full: 'The room is full. Somebody has to leave before you can come in.',
    locked: 'The room is locked. Ask the host to unlock it.',
    kicked: 'The host has removed you from this room. You may come back in a minute.',
    replaced: 'You are in this room in another tab, or on another device.',
    closed: 'The host has closed the room.',
    host_left: 'The host is gone, and the room with them.',
    idle: 'Nobody was there for a long time, so the room was closed.',
    not_permitted: 'Your link does not permit this room.',
    other: 'The relay said: {message}',
    askPin: 'PIN',
    askName: 'Your name',
    enter: 'Come in',
    again: 'Try again',
    here: 'Use it here',
    others: 'Other rooms',
  },
  de: {
    pin_needed: 'Dieser Raum hat eine PIN.',
    wrong_pin: 'Das war nicht die PIN. Versuche es noch einmal.',
    too_fast: 'Zu viele Versuche. Warte eine Minute, und versuche es dann noch einmal.',
    name_taken: 'Jemand im Raum heißt schon so. Wähle einen anderen Namen.',
    no_room: 'Diesen Raum gibt es nicht mehr.',
    full: 'Der Raum ist voll. Jemand muss gehen, bevor du hereinkannst.',
    locked: 'Der Raum ist abgeschlossen. Bitte den Gastgeber, ihn aufzuschließen.',
    kicked: 'Der Gastgeber hat dich aus diesem Raum entfernt. In einer Minute darfst du wieder herein.',
    replaced: 'Du bist in diesem Raum in einem anderen Tab oder auf einem anderen Gerät.',
    closed: 'Der Gastgeber hat den Raum geschlossen.',
    host_left: 'Der Gastgeber ist fort, und mit ihm der Raum.',
    idle: 'Lange war niemand da, deshalb wurde der Raum geschlossen.',
    not_permitted: 'Dein Link erlaubt diesen Raum nicht.',
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
