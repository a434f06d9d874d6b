// Opening a room: what the relay is asked for, and the key that makes us its host.

import { keepKey, keepPin } from './room-keys';
import type { Room } from './room-protocol';

/** What the room is to be like. */
export interface RoomWish {
  name: string;
  kind: Room['kind'];
  /** Empty: none. */
  pin: string;
  /** null: as many as the relay allows. */
  max: number | null;
}

/** Opens a room, and keeps its host's key; gives its id. Fails with the relay's own sentence. */
export async function openRoom(base: URL, { name, kind, pin, max }: RoomWish): Promise<string> {
  const answer = await fetch(new URL('api/rooms', base), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ roomName: name, kind, ...(pin ? { pin } : {}), ...(max === null ? {} : { max }) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const { roomId, hostId } = (await answer.json()) as { roomId: string; hostId: string };
  keepKey(roomId, hostId, true);
  if (pin) keepPin(roomId, pin);
  return roomId;
}
