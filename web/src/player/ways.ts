// Which ways there are from a file to an audio element.

import { AddressSound } from './address-sound';
import { addressOf, type SoundFile } from './library';
import { StreamedSound } from './streamed-sound';
import type { Supply, SupplyEvents, Way } from './supply';
import { WholeSound } from './whole-sound';

/** Files of which all is kept in memory are no larger than this. */
export const WHOLE_MOST = 64 << 20;

/** The ways that are worth a try for a file, the best first. */
export function waysFor({ mime, size }: { mime: string; size: number }): Way[] {
  // Of what the relay has, browsers take only MP3 piece by piece: MP4 would have to be fragmented.
  const streams = mime === 'audio/mpeg' && typeof MediaSource !== 'undefined' && MediaSource.isTypeSupported(mime);
  return [...(streams ? ['stream' as const] : []), ...(size <= WHOLE_MOST ? ['whole' as const] : []), 'address'];
}

/** Begins to fill the element with this file, from so many seconds on. */
export function openSupply(way: Way, audio: HTMLAudioElement, base: URL, file: SoundFile, at: number, events: SupplyEvents): Supply {
  if (way === 'stream') return new StreamedSound(audio, base, file.id, at, events);
  if (way === 'whole') return new WholeSound(audio, base, file.id, at, events);
  return new AddressSound(audio, addressOf(base, file), at, events);
}
