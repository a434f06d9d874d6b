// Announcements as the relay takes them: sent to one room after another, followed until they were heard, and stopped.

import type { Room } from '../rooms/room-protocol';

/** What is announced: a file of the relay, by its id or name; or a recording. */
export type Announced = { file: string } | { recording: Blob };

/** How an announcement in one room is. The words are the relay's, and `unknown` where it no longer tells. */
export type AnnouncementState = 'waiting' | 'playing' | 'played' | 'stopped' | 'displaced' | 'failed' | 'unknown';

/** One announcement in one room. */
export interface Announcement {
  room: string;
  /** null: it was refused. */
  id: string | null;
  state: AnnouncementState;
  /** While `failed`: why, in the relay's own words. */
  reason: string;
}

/** Whether whoever may talk may announce something there, without having joined. */
export function isOpenToAll({ kind, pin, locked }: Pick<Room, 'kind' | 'pin' | 'locked'>): boolean {
  return kind === 'intercom' && !pin && !locked;
}

/** How often to ask how far it is. */
const ASK_MS = 400;

/** Has this announced in a room. What is refused comes back as `failed`. */
export async function announce(base: URL, room: string, what: Announced, chime: string, name: string): Promise<Announcement> {
  const wish = { room, ...(chime ? { chime } : {}), ...(name ? { name } : {}) };
  const failed = (reason: string): Announcement => ({ room, id: null, state: 'failed', reason });
  try {
    const answer = 'file' in what ? await post(new URL('api/announce', base), { ...wish, file: what.file }) : await send(base, wish, what.recording);
    if (!answer.ok) return failed(await answer.text());
    const { id, position } = (await answer.json()) as { id: string; position: number };
    return { room, id, state: position ? 'waiting' : 'playing', reason: '' };
  } catch {
    return failed('');
  }
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
    const { state, message } = (await answer.json()) as { state: AnnouncementState; message?: string | null };
    return { ...announcement, state, reason: message ?? '' };
  } catch {
    // It is asked again.
    return announcement;
  }
}

async function post(url: URL, body: Record<string, unknown>): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
}

async function send(base: URL, { chime, ...wish }: Record<string, string>, recording: Blob): Promise<Response> {
  const url = new URL('api/announce/clip', base);
  url.search = new URLSearchParams({ ...wish, ...(chime ? { chime } : {}) }).toString();
  const answer = await fetch(url, { method: 'POST', headers: { 'Content-Type': recording.type }, body: recording });
  // A relay without files has no chimes: what was said is heard all the same.
  return answer.status === 404 && chime ? send(base, wish, recording) : answer;
}
