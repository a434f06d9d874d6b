// Announcements as the relay takes them: sent to all their places at once, followed until they were heard, and stopped.

import type { Room } from '../rooms/room-protocol';

/** What is announced: a file of the relay, by its id or name; a recording; a text, which Home Assistant speaks; or what is said
 * in a room, by its id, until that is stopped. */
export type Announced = { file: string } | { recording: Blob } | { text: string } | { live: string };

/** How an announcement is. The words are the relay's. */
export type AnnouncementState = 'waiting' | 'playing' | 'played' | 'stopped' | 'displaced' | 'failed' | 'unknown';

/** An announcement in one of its places. */
export interface AnnouncementPart {
  /** As the relay writes it: `room:kitchen`, `media_player.kitchen`. */
  place: string;
  state: AnnouncementState;
  /** While `failed`: why, in the relay's own words. */
  reason: string;
  /** Of a media player that plays: seconds that it took to begin. */
  late: number | null;
}

/** One announcement. */
export interface Announcement {
  /** null: it was refused. */
  id: string | null;
  state: AnnouncementState;
  /** While `failed` everywhere: why, in the relay's own words. */
  reason: string;
  parts: readonly AnnouncementPart[];
}

/** The place that is a room. */
export function placeOf(room: string): string {
  return `room:${room}`;
}

/** Whether whoever may talk may announce something there, without having joined. */
export function isOpenToAll({ kind, pin, locked }: Pick<Room, 'kind' | 'pin' | 'locked'>): boolean {
  return kind === 'intercom' && !pin && !locked;
}

/** How often to ask how far it is. */
const ASK_MS = 400;

/** How something is announced. */
export interface Manner {
  /** The chime before it, by the name of its file; empty: none. */
  chime: string;
  /** How it is called; empty: the relay finds a name. */
  name: string;
  /** Whether it interrupts what is not urgent, and gets through where nobody wants to be disturbed. */
  isUrgent?: boolean;
}

/** Has this announced in these places. What is refused comes back as `failed`. */
export async function announce(base: URL, places: readonly string[], what: Announced, { chime, name, isUrgent }: Manner): Promise<Announcement> {
  const wish = { to: places.join(','), ...(chime ? { chime } : {}), ...(name ? { name } : {}), ...(isUrgent ? { priority: 'urgent' } : {}) };
  const failed = (reason: string): Announcement => ({ id: null, state: 'failed', reason, parts: [] });
  try {
    const answer = 'recording' in what ? await send(base, wish, what.recording) : await post(new URL('api/announce', base), { ...wish, ...what });
    if (!answer.ok) return failed(await answer.text());
    const { id, parts } = (await answer.json()) as { id: string; parts: readonly PartAnswer[] };
    return { id, state: 'waiting', reason: '', parts: parts.map(partOf) };
  } catch {
    return failed('');
  }
}

/** What the relay says of a part. */
interface PartAnswer {
  room?: string;
  player?: string;
  destination?: string;
  state?: AnnouncementState;
  message?: string | null;
  late?: number | null;
}

function partOf({ room, player, destination, state, message, late }: PartAnswer): AnnouncementPart {
  const place = room === undefined ? (player ?? destination ?? '') : placeOf(room);
  return { place, state: state ?? (message ? 'failed' : 'waiting'), reason: message ?? '', late: late ?? null };
}

/** Asks how it is until it is over, or nobody wants to know any more. */
export async function follow(base: URL, announcement: Announcement, signal: AbortSignal, changed: (now: Announcement) => void): Promise<void> {
  if (!isUnderWay(announcement)) return;
  await new Promise((resolve) => setTimeout(resolve, ASK_MS));
  if (signal.aborted) return;
  const now = await look(base, announcement);
  changed(now);
  await follow(base, now, signal, changed);
}

/** Stops it. */
export async function stopAnnouncing(base: URL, { id }: Announcement): Promise<void> {
  if (id !== null) await fetch(new URL(`api/announce/${id}`, base), { method: 'DELETE' }).catch(() => undefined);
}

/** Whether it is still to be heard. */
export function isUnderWay({ state }: Pick<Announcement, 'state'>): boolean {
  return state === 'waiting' || state === 'playing';
}

async function look(base: URL, announcement: Announcement): Promise<Announcement> {
  try {
    const answer = await fetch(new URL(`api/announce/${announcement.id ?? ''}`, base), { cache: 'no-store' });
    // Of the last ones alone the relay knows how they ended.
    if (!answer.ok) return { ...announcement, state: 'unknown' };
    const { state, parts } = (await answer.json()) as { state: AnnouncementState; parts: readonly PartAnswer[] };
    return { ...announcement, state, parts: parts.map(partOf) };
  } catch {
    // It is asked again.
    return announcement;
  }
}

async function post(url: URL, body: Record<string, string>): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

async function send(base: URL, { chime, ...wish }: Record<string, string>, recording: Blob): Promise<Response> {
  const url = new URL('api/announce/clip', base);
  url.search = new URLSearchParams({ ...wish, ...(chime ? { chime } : {}) }).toString();
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': recording.type }, body: recording });
  // A relay without files has no chimes: what was said is heard all the same.
  return answer.status === 404 && chime ? send(base, wish, recording) : answer;
}
