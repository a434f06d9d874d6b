// Being in a room: coming in, what is known there, what is refused, and coming back when the socket was lost.

import { Signalling } from '../session/signalling';
import { forgetKey, keepKey, keyOf } from './room-keys';
import { ROOM_WORDS, type Participant, type Room, type RoomMessage, type RoomRequest } from './room-protocol';
import { after, chatRead, type RoomState } from './room-state';
import type { Refusal, Stage } from './room-view';

/** Turned away for being too fast, whoever was inside already tries again after this. */
const CALM_MS = 2_000;

/** Refusals that another PIN, or another name, may help. */
const ASKING = new Set(['pin_needed', 'wrong_pin', 'name_taken', 'too_fast']);

/** Reasons after which the key is of use still: the room is there, and so is our place in it. */
const KEEPING = new Set(['replaced', 'locked', 'full']);

/** What the owner of a membership wants to hear. */
export interface MembershipEvents {
  /** We are in: for the first time, or again. */
  entered(): void;
  /** We are out, and do not come back by ourselves. */
  over(): void;
  /** What the relay says inside; `before` is what was known before it. */
  told(message: RoomMessage, before: RoomState | null): void;
  changed(): void;
}

/** One person's place in one room. */
export class Membership {
  stage: Stage = 'joining';
  /** While `asked` or `outside`: why. */
  refusal: Refusal | null = null;
  /** While `inside`: what was refused last. */
  notice: Refusal | null = null;
  state: RoomState | null = null;
  /** The room as it was known last. */
  room: Room | null = null;
  /** What we say at the door, if it is known. */
  pin: string | undefined;

  private readonly signalling: Signalling<RoomRequest, RoomMessage>;
  /** Has been inside, and wants to be there still. */
  private belongs = false;
  private retry: ReturnType<typeof setTimeout> | undefined;

  /** `name`: how we want to be called. */
  constructor(
    url: string,
    private readonly roomId: string,
    private readonly name: () => string,
    private readonly events: MembershipEvents,
  ) {
    const [up, down] = [this.up, this.down];
    const message = (heard: RoomMessage) => {
      this.take(heard);
    };
    this.signalling = new Signalling(url, ROOM_WORDS, { up, down, message }, true);
  }

  get isConnected(): boolean {
    return this.signalling.isUp;
  }

  get isInside(): boolean {
    return this.stage === 'inside';
  }

  /** Ourselves, as the room knows us. */
  get you(): Participant | undefined {
    return this.state?.participants.find(({ id }) => id === this.state?.you);
  }

  /** Goes in, and stays in. */
  open(): void {
    this.signalling.connect();
  }

  /** Goes out. A host is only away: it would end a broadcast, and would not be the host any more. */
  close(): void {
    clearTimeout(this.retry);
    if (!this.you?.host) this.signalling.send({ type: 'leave' });
    this.signalling.close();
  }

  /** Makes sure that the relay is there. */
  probe(): void {
    this.signalling.probe();
  }

  /** Whether a loss must be noticed soon. */
  set urgent(urgent: boolean) {
    this.signalling.urgent = urgent;
  }

  /** Tries again to come in, with this PIN if there is one. */
  ask(pin: string | undefined): void {
    if (pin !== undefined) this.pin = pin;
    this.refusal = null;
    this.join();
  }

  /** Says something that is of use inside only. */
  say(request: RoomRequest): void {
    if (this.isInside) this.signalling.send(request);
  }

  /** Does something that may be refused; what was refused before is no longer of interest. */
  act(request: RoomRequest): void {
    this.notice = null;
    this.say(request);
    this.events.changed();
  }

  /** The chat has been looked at. */
  readChat(): void {
    if (!this.state?.unread) return;
    this.state = chatRead(this.state);
    this.events.changed();
  }

  private readonly up = (): void => {
    this.join();
  };

  private readonly down = (): void => {
    clearTimeout(this.retry);
    if (this.isInside) this.stage = 'joining';
    this.events.changed();
  };

  private join(): void {
    clearTimeout(this.retry);
    // Whoever was told that the room does not want them asks again only by their own will.
    if (this.stage === 'outside' && this.refusal) return;
    this.stage = 'joining';
    const key = keyOf(this.roomId);
    const { pin, name } = this;
    const known = { ...(pin === undefined ? {} : { pin }), ...(key === undefined ? {} : { key }) };
    this.signalling.send({ type: 'join', room: this.roomId, name: name(), ...known });
    this.events.changed();
  }

  private take(message: RoomMessage): void {
    if (message.type === 'error') {
      this.takeError(message);
      return;
    }
    const before = this.state;
    this.state = after(before, message);
    this.room = this.state?.room ?? this.room;
    if (message.type === 'joined') this.enter(message.key);
    else if (message.type === 'removed' || message.type === 'room_closed') this.leave({ code: message.reason, message: message.message });
    this.events.told(message, before);
    this.events.changed();
  }

  private enter(key: string): void {
    keepKey(this.roomId, key, this.you?.host ?? false);
    [this.stage, this.refusal, this.notice, this.belongs] = ['inside', null, null, true];
    this.events.entered();
  }

  private takeError(message: Extract<RoomMessage, { type: 'error' }>): void {
    const refusal = { code: message.code ?? '', message: message.message };
    // The socket closes next, and comes back with the relay.
    if (refusal.code === 'shutting_down') return;
    if (!this.isInside) this.turnedAway(refusal);
    else if (refusal.code === 'not_joined') this.join();
    else this.notice = refusal;
    this.events.told(message, this.state);
    this.events.changed();
  }

  private turnedAway(refusal: Refusal): void {
    if (this.belongs && refusal.code === 'too_fast') {
      this.retry = setTimeout(() => {
        this.join();
      }, CALM_MS);
    } else if (ASKING.has(refusal.code)) {
      // A guess that was wrong is not made again by ourselves.
      this.pin = undefined;
      [this.stage, this.refusal] = ['asked', refusal];
    } else {
      this.leave(refusal);
    }
  }

  private leave(refusal: Refusal): void {
    if (!KEEPING.has(refusal.code)) forgetKey(this.roomId);
    [this.stage, this.refusal, this.state, this.belongs] = ['outside', refusal, null, false];
    this.events.over();
  }
}
