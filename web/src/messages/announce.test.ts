// What is said of an announcement, for each place and on one line.

import { describe, expect, it } from 'vitest';

import type { Announcement, AnnouncementPart } from '../house/announcing';
import { announcedInWords, partInWords } from './announce';

const part = (place: string, state: AnnouncementPart['state'], late: number | null = null): AnnouncementPart => ({ place, state, reason: '', late });
const sent = (...parts: AnnouncementPart[]): Announcement => ({ id: '1', state: 'playing', reason: '', parts });

describe('what is said of an announcement', () => {
  it('tells how late a player is, if anybody could hear it', () => {
    expect(partInWords(part('x', 'playing', 1.234), 'Kitchen')).toBe('Kitchen: playing, 1.2 s behind…');
    expect(partInWords(part('x', 'playing', 0.04), 'Kitchen')).toBe('Kitchen: playing…');
    expect(partInWords(part('x', 'playing'), 'Kitchen')).toBe('Kitchen: playing…');
  });

  it('tells first what went wrong, of the place where it did', () => {
    const name = (place: string) => place.toUpperCase();
    expect(announcedInWords(null, name)).toBe('Sending…');
    expect(announcedInWords(sent(part('a', 'playing'), part('b', 'waiting')), name)).toBe('Announcing in 2 places…');
    expect(announcedInWords({ ...sent(part('a', 'played'), part('b', 'played')), state: 'played' }, name)).toBe('Announced in 2 places.');
    expect(announcedInWords(sent(part('a', 'playing'), part('b', 'stopped')), name)).toBe('B: stopped.');
    expect(announcedInWords({ id: null, state: 'failed', reason: 'no room', parts: [] }, name)).toBe('Announce: that didn’t work: no room');
  });
});
