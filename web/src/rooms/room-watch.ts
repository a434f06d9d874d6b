// The rooms that there are, live: a socket of its own, for as long as somebody looks.

import { Signalling, socketUrl } from '../session/signalling';
import { isOfCalls, type CallMessage, type CallRequest } from '../calls/call-protocol';
import { ROOM_WORDS, type Room, type RoomMessage, type RoomRequest } from './room-protocol';

/** What is said on the socket besides the list. */
export interface CallListener {
  take(message: CallMessage): void;
  refuse(code: string): void;
}

/** Follows the list of rooms; and carries what is said of calls, which are of the whole house as well. */
export class RoomWatch {
  /** null: not known yet. */
  rooms: readonly Room[] | null = null;

  private readonly signalling: Signalling<RoomRequest, RoomMessage>;

  /** `changed` is told after every news, and when the relay comes or goes. */
  constructor(base: URL, changed: () => void, calls?: CallListener) {
    this.signalling = new Signalling(
      socketUrl(base),
      ROOM_WORDS,
      {
        up: () => {
          this.signalling.send({ type: 'watch_rooms', on: true });
          changed();
        },
        down: changed,
        message: (message) => {
          if (isOfCalls(message)) calls?.take(message);
          else if (message.type === 'error') calls?.refuse(message.code ?? '');
          if (message.type !== 'rooms') return;
          this.rooms = message.rooms;
          changed();
        },
      },
      true,
    );
  }

  /** Follows from now on. */
  connect(): void {
    this.signalling.connect();
  }

  /** Says something of calls. */
  say(request: CallRequest): void {
    this.signalling.send(request);
  }

  /** Whether the relay is there. */
  get isUp(): boolean {
    return this.signalling.isUp;
  }

  /** Makes sure that it is. */
  probe(): void {
    this.signalling.probe();
  }

  close(): void {
    this.signalling.close();
  }
}
