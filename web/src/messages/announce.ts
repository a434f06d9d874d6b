// Words of announcements.

import type { Announcer } from '../house/announcer';
import { isUnderWay, type Announcement } from '../house/announcing';
import { translator } from '../lib/i18n';

export const announceWords = translator({
  en: {
    title: 'Announce',
    where: 'Where',
    everywhere: 'All rooms',
    record: 'Record',
    recordHint: 'hold, or tap',
    opening: 'opening…',
    recording: 'Recording: {seconds} s',
    release: 'release to send',
    tapToSend: 'tap to send',
    discard: 'Discard',
    chimes: 'Or a chime',
    chimeFirst: 'Chime before the recording',
    ding: 'Ding',
    'ding-dong': 'Ding-dong',
    gong: 'Gong',
    alert: 'Alert',
    sound: 'Or a sound',
    play: 'Play',
    nowhere: 'Choose a room first.',
    tooShort: 'That was too short to hear. Hold the button while you speak.',
    preparing: 'Preparing…',
    sending: 'Sending…',
    unreachable: 'the relay doesn’t answer. Try again.',
    failed: '{room}: that didn’t work: {reason}',
    waiting: '{room}: waits for its turn.',
    playing: '{room}: playing…',
    played: '{room}: played.',
    stopped: '{room}: stopped.',
    displaced: '{room}: something urgent took its place.',
    unknown: '{room}: the relay no longer knows whether it was played.',
    playingMany: 'Announcing in {count} rooms…',
    playedMany: 'Announced in {count} rooms.',
    stop: 'Stop',
    again: 'Announce something else',
  },
  de: {
    title: 'Durchsage',
    where: 'Wo',
    everywhere: 'Alle Räume',
    record: 'Aufnehmen',
    recordHint: 'halten / tippen',
    opening: 'öffne…',
    recording: 'Aufnahme: {seconds} s',
    release: 'Senden: loslassen',
    tapToSend: 'Senden: tippen',
    discard: 'Verwerfen',
    chimes: 'Oder ein Gong',
    chimeFirst: 'Gong vor der Aufnahme',
    ding: 'Ding',
    'ding-dong': 'Ding-Dong',
    gong: 'Gong',
    alert: 'Alarm',
    sound: 'Oder ein Klang',
    play: 'Abspielen',
    nowhere: 'Wähle zuerst einen Raum.',
    tooShort: 'Das war zu kurz. Halte die Taste, während du sprichst.',
    preparing: 'Wird vorbereitet…',
    sending: 'Wird gesendet…',
    unreachable: 'Die Anlage antwortet nicht. Versuche es noch einmal.',
    failed: '{room}: Das hat nicht funktioniert: {reason}',
    waiting: '{room}: wartet, bis die Durchsage an der Reihe ist.',
    playing: '{room}: wird abgespielt…',
    played: '{room}: abgespielt.',
    stopped: '{room}: gestoppt.',
    displaced: '{room}: Etwas Dringendes hat ihren Platz bekommen.',
    unknown: '{room}: Die Anlage weiß nicht mehr, ob sie abgespielt wurde.',
    playingMany: 'Durchsage in {count} Räumen…',
    playedMany: 'In {count} Räumen durchgesagt.',
    stop: 'Stopp',
    again: 'Etwas anderes durchsagen',
  },
});

/** How an announcement goes in a room of this name. */
export function announcementInWords({ state, reason }: Announcement, room: string): string {
  return announceWords(state, { room, reason: reason || announceWords('unreachable') });
}

/** What the button that records is for, or what comes of it. */
export function recordingInWords({ stage, seconds }: Announcer): string {
  if (stage === 'recording') return announceWords('recording', { seconds });
  return announceWords(stage === 'preparing' ? 'preparing' : 'record');
}

/** How that button is used, at this moment. */
export function recordingHint({ stage, isRecording, press }: Announcer): string {
  if (stage === 'opening') return announceWords('opening');
  return announceWords(!isRecording ? 'recordHint' : press.isHeld ? 'release' : 'tapToSend');
}

/** How an announcement goes in all its rooms, on one line: what went wrong comes first. `name` is that of a single room. */
export function announcedInWords(announcements: readonly Announcement[], name: string): string {
  const [first] = announcements;
  if (!first) return announceWords('sending');
  const notable = announcements.find(({ state }) => state !== 'played' && !isUnderWay({ state }));
  if (announcements.length === 1 || notable) return announcementInWords(notable ?? first, notable && announcements.length > 1 ? notable.room : name);
  return announceWords(announcements.some(isUnderWay) ? 'playingMany' : 'playedMany', { count: announcements.length });
}
