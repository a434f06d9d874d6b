// Words of announcements.

import type { Announcer } from '../house/announcer';
import type { Announcement, AnnouncementPart } from '../house/announcing';
import { spoken, translator } from '../lib/i18n';

export const announceWords = translator({
  en: {
    title: 'Announce',
    where: 'Rooms',
    players: 'Media players',
    away: 'can’t be reached',
    everywhere: 'All rooms',
    record: 'Record',
    recordHint: 'hold, or tap',
    opening: 'opening…',
    recording: 'Recording: {seconds} s',
    release: 'release to send',
    tapToSend: 'tap to send',
    discard: 'Discard',
    chimes: 'Or a chime',
    chimeFirst: 'Chime first',
    urgent: 'Urgent',
    urgentHint: 'Interrupts what is heard, and is heard also where nobody is to be disturbed.',
    ding: 'Ding',
    'ding-dong': 'Ding-dong',
    gong: 'Gong',
    alert: 'Alert',
    text: 'Or type what to say',
    say: 'Say it',
    sound: 'Or a sound',
    play: 'Play',
    nowhere: 'Choose first where it is to be heard.',
    tooShort: 'That was too short to hear. Hold the button while you speak.',
    preparing: 'Preparing…',
    sending: 'Sending…',
    unreachable: 'the relay doesn’t answer. Try again.',
    failed: '{place}: that didn’t work: {reason}',
    waiting: '{place}: waits for its turn.',
    playing: '{place}: playing…',
    playingLate: '{place}: playing, {seconds} s behind…',
    played: '{place}: played.',
    stopped: '{place}: stopped.',
    displaced: '{place}: something urgent took its place.',
    unknown: '{place}: the relay no longer knows whether it was played.',
    playingMany: 'Announcing in {count} places…',
    playedMany: 'Announced in {count} places.',
    stop: 'Stop',
    again: 'Announce something else',
  },
  de: {
    title: 'Durchsage',
    where: 'Räume',
    players: 'Player',
    away: 'nicht erreichbar',
    everywhere: 'Alle Räume',
    record: 'Aufnehmen',
    recordHint: 'halten / tippen',
    opening: 'öffne…',
    recording: 'Aufnahme: {seconds} s',
    release: 'Senden: loslassen',
    tapToSend: 'Senden: tippen',
    discard: 'Verwerfen',
    chimes: 'Oder ein Gong',
    chimeFirst: 'Zuerst ein Gong',
    urgent: 'Dringend',
    urgentHint: 'Unterbricht, was zu hören ist, und ist auch dort zu hören, wo niemand gestört werden soll.',
    ding: 'Ding',
    'ding-dong': 'Ding-Dong',
    gong: 'Gong',
    alert: 'Alarm',
    text: 'Oder ein Text zum Vorlesen',
    say: 'Vorlesen',
    sound: 'Oder ein Klang',
    play: 'Abspielen',
    nowhere: 'Wähle zuerst, wo man es hören soll.',
    tooShort: 'Das war zu kurz. Halte die Taste, während du sprichst.',
    preparing: 'Wird vorbereitet…',
    sending: 'Wird gesendet…',
    unreachable: 'Die Anlage antwortet nicht. Versuche es noch einmal.',
    failed: '{place}: Das hat nicht funktioniert: {reason}',
    waiting: '{place}: wartet, bis die Durchsage an der Reihe ist.',
    playing: '{place}: wird abgespielt…',
    playingLate: '{place}: wird abgespielt, {seconds} s verzögert…',
    played: '{place}: abgespielt.',
    stopped: '{place}: gestoppt.',
    displaced: '{place}: Etwas Dringendes hat ihren Platz bekommen.',
    unknown: '{place}: Die Anlage weiß nicht mehr, ob sie abgespielt wurde.',
    playingMany: 'Durchsage an {count} Orten…',
    playedMany: 'An {count} Orten durchgesagt.',
    stop: 'Stopp',
    again: 'Etwas anderes durchsagen',
  },
});

/** Who is less late than this is not late for anybody. */
const NOTABLE_SECONDS = 0.1;

/** How an announcement goes in a place of this name. */
export function partInWords({ state, reason, late }: Pick<AnnouncementPart, 'state' | 'reason' | 'late'>, place: string): string {
  if (state === 'playing' && late !== null && late >= NOTABLE_SECONDS) return announceWords('playingLate', { place, seconds: new Intl.NumberFormat(spoken(), { maximumFractionDigits: 1 }).format(late) });
  return announceWords(state, { place, reason: reason || announceWords('unreachable') });
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

/** How an announcement goes in all its places, on one line: what went wrong comes first. `name` says how people call a place. */
export function announcedInWords(announcement: Announcement | null, name: (place: string) => string): string {
  if (!announcement) return announceWords('sending');
  const { id, state, reason, parts } = announcement;
  const [first] = parts;
  if (id === null || !first) return partInWords({ state, reason, late: null }, announceWords('title'));
  const notable = parts.find((part) => !['played', 'playing', 'waiting'].includes(part.state));
  if (parts.length === 1 || notable) return partInWords(notable ?? first, name((notable ?? first).place));
  return announceWords(state === 'played' ? 'playedMany' : 'playingMany', { count: parts.length });
}
