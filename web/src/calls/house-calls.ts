// Calls, as one device of the house has them: who it is, whom it calls, and where it has to be for that. What rings and talks
// is the relay's to say (`station`); it is loaded once this device has a name.

import type { Choices, ChoiceStorage } from '../session/choices';
import type { CallMessage, CallRequest, MailboxMessage } from './call-protocol';
import { NO_CALLS, NO_MESSAGES, type CallsView, type MailboxView } from './calls-view';
import type { Mailbox } from './mailbox';
import type { Station } from './station';

/** Where a device is because of a call. */
export interface CallPlace {
  /** The room's id; null while there is none. */
  room: string | null;
  /** Whether both talk there. */
  talking: boolean;
}

/** What the owner of the calls does, and wants to know. */
export interface CallsOwner {
  /** Says something to the relay; lost while it is away. */
  say(request: CallRequest): void;
  /** Whether the relay is there. */
  isUp(): boolean;
  /** What the person has chosen on this device. */
  choices(): Choices;
  /** How this device wants to be called, and the rooms that it listens to; null while it wants no name. */
  introduction(): { name: string; rooms: readonly string[] } | null;
  /** Both of a call talk in this room from now on. */
  talkIn(roomId: string): void;
  /** And no longer. */
  stopIn(roomId: string): void;
  changed(): void;
}

/** The calls of one device. */
export class HouseCalls {
  /** Where we are for the sake of a call: as soon as it rings, so that an answer is heard at once. */
  place: CallPlace = { room: null, talking: false };

  /** This device as one with a name; null until it wants one. */
  station: Station | null = null;
  /** Likewise, its voice messages. */
  mailbox: Mailbox | null = null;

  private loading: Promise<void> | null = null;

  constructor(
    private readonly storage: ChoiceStorage | null,
    private readonly owner: CallsOwner,
  ) {}

  get view(): CallsView {
    return this.station?.view ?? NO_CALLS;
  }

  get messages(): MailboxView {
    return this.mailbox?.view ?? NO_MESSAGES;
  }

  /** The room of this device, once it is one that can be called. */
  get ownId(): string | null {
    return this.station?.id ?? null;
  }

  /** Calls these devices, or rooms; `everybody` is all of them. */
  ring(to: readonly string[]): void {
    void this.load().then(() => {
      this.station?.ring(to);
    });
  }

  /** Begins to say a message for a place, which people call so: it is heard there later. */
  leaveMessage(to: string, name: string): void {
    void this.load().then(() => {
      if (!this.station?.isKnown()) return undefined;
      this.station.forgetEnded();
      return this.mailbox?.record(to, name);
    });
  }

  /** Tells the relay who this device is, where that is new. */
  async introduce(): Promise<void> {
    if (!this.owner.introduction()) return;
    await this.load();
    // Meanwhile it may be called otherwise.
    const now = this.owner.introduction();
    if (now && this.owner.isUp()) this.station?.introduce(now.name, now.rooms);
  }

  /** The relay is away. */
  lost(): void {
    this.station?.lost();
    this.mailbox?.lost();
  }

  take(message: CallMessage): void {
    if (isOfMailbox(message)) this.mailbox?.take(message);
    else this.station?.take(message);
  }

  refuse(code: string): void {
    if (!this.mailbox?.refuse(code)) this.station?.refuse(code);
  }

  private load(): Promise<void> {
    return (this.loading ??= this.begin());
  }

  private async begin(): Promise<void> {
    const [{ Station }, { Mailbox }] = await Promise.all([import('./station'), import('./mailbox')]);
    const say = (request: CallRequest) => {
      this.owner.say(request);
    };
    this.station = new Station(this.storage, say, () => {
      this.follow();
    });
    this.mailbox = new Mailbox(say, () => this.owner.choices(), () => {
      this.owner.changed();
    });
  }

  private follow(): void {
    const { current } = this.view;
    const [before, now] = [this.place, { room: current?.call.room ?? null, talking: current?.role === 'talking' }];
    this.place = now;
    const isSame = before.talking && now.talking && before.room === now.room;
    if (before.talking && before.room && !isSame) this.owner.stopIn(before.room);
    if (now.talking && now.room && !isSame) this.owner.talkIn(now.room);
    this.owner.changed();
  }
}

/** Whether that is of voice messages. */
function isOfMailbox(message: CallMessage): message is MailboxMessage {
  return message.type.startsWith('voice_message');
}
