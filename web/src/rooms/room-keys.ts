// What brings us back into a room as the one we were. A participant's key belongs to this tab, since another tab
// with the same key would take its place; a host's is kept, so that the host returns after a break.

import { browserStorage } from '../session/choices';

const name = (room: string): string => `voice-relay-room-${room}`;
const pinName = (room: string): string => `voice-relay-pin-${room}`;

/** The key to come back with; undefined for whoever has never been there. */
export function keyOf(room: string): string | undefined {
  return tabStorage()?.getItem(name(room)) ?? browserStorage()?.getItem(name(room)) ?? undefined;
}

/** Keeps the key of this visit, as host for good. */
export function keepKey(room: string, key: string, asHost: boolean): void {
  attempt(() => tabStorage()?.setItem(name(room), key));
  if (asHost) attempt(() => browserStorage()?.setItem(name(room), key));
}

/** The room is over, or does not want us: the next visit is a new one. */
export function forgetKey(room: string): void {
  attempt(() => tabStorage()?.removeItem(name(room)));
  attempt(() => browserStorage()?.removeItem(name(room)));
  attempt(() => browserStorage()?.removeItem(pinName(room)));
}

/** Keeps the PIN of a room that was made here, so that its host can read it again. */
export function keepPin(room: string, pin: string): void {
  attempt(() => browserStorage()?.setItem(pinName(room), pin));
}

/** The PIN of a room that was made here; empty where it is not known. */
export function pinOf(room: string): string {
  return browserStorage()?.getItem(pinName(room)) ?? '';
}

function tabStorage(): Storage | null {
  try {
    return window.sessionStorage;
  } catch {
    return null;
  }
}

/** Private windows may keep nothing; the visit works all the same. */
function attempt(act: () => void): void {
  try {
    act();
  } catch {
    // Forgotten at the end of the visit then.
  }
}
