// The rooms that there are, live: a socket of its own, for as long as somebody looks.

import { socketUrl } from '../session/session';
import { Signalling } from '../session/signalling';
import { ROOM_WORDS, type Room, type RoomMessage, type RoomRequest } from './room-protocol';

/** Follows the list of rooms. */
export class RoomWatch {
  /** null: not known yet. */
  rooms: readonly Room[] | null = null;

  private readonly signalling: Signalling<RoomRequest, RoomMessage>;

  /** `changed` is told after every news. */
  constructor(base: URL, changed: () => void) {
    this.signalling = new Signalling(
      socketUrl(base),
      ROOM_WORDS,
      {
        up: () => {
          this.signalling.send({ type: 'watch_rooms', on: true });
        },
        down: () => undefined,
        message: (message) => {
          if (message.type !== 'rooms') return;
          this.rooms = message.rooms;
          changed();
        },
      },
      true,
    );
    this.signalling.connect();
  }

  close(): void {
    this.signalling.close();
  }
}
