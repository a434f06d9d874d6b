// Lines to relays, shared by all cards of a window: one session for each relay, however many cards show it. Cards that are
// for the same room are there together, as one participant. A line is given back some seconds after its last card went, so
// that a change of view does not end it.

import { HouseSession } from '../house/house-session';
import { isTalking } from '../rooms/room-voice';
import { browserStorage, type Choices, type ChoiceStorage } from '../session/choices';
import { Booster } from './booster';
import type { Way } from './ingress';
import { Trouble } from './trouble';
import type { Route } from './way';

/** Of what is on `window`; copies of this module with another number keep to themselves. */
const VERSION = 3;

/** A line without cards is kept for so long. */
const KEEP_MS = 5_000;

/** A way that was not found is looked for again after this. */
const RETRY_MS = 5_000;

/** A relay that does not answer for so long is out of reach, as far as people are concerned. */
const SILENT_MS = 1_500;

/** How a card wants its speaker to be heard. */
export type Voice = Pick<Choices, 'name' | 'echoCancellation' | 'noiseSuppression' | 'autoGainControl'>;

/** What a card does with its line. */
export interface Seat {
  /** It has a button that ends the listening. */
  readonly listens: boolean;
  /** How much louder than usual it wants others to be. */
  readonly boost: number;
  /** The id of the room that it is for. */
  readonly room: string;
}

/** A session that cards share, or the reason why there is none yet. Fires `change`. */
export class Line extends EventTarget {
  session: HouseSession | null = null;
  trouble: Trouble | null = null;
  /** The card that began to talk. */
  speaker: Seat | null = null;
  /** Whether the relay is reached through Home Assistant. */
  throughIngress = false;

  private readonly seats = new Set<Seat>();
  /** Those that are in their rooms. */
  private readonly inside = new Set<Seat>();
  private readonly booster = new Booster();
  private closeWay: () => void = () => undefined;
  private unused: ReturnType<typeof setTimeout> | undefined;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly find: Route['find'],
    private readonly over: () => void,
  ) {
    super();
    void this.open();
  }

  /** A card takes its place. */
  take(seat: Seat): void {
    clearTimeout(this.unused);
    this.seats.add(seat);
    this.boost();
  }

  /** A card goes: nothing goes on that only it could have ended. */
  leave(seat: Seat): void {
    this.seats.delete(seat);
    if (this.speaker === seat) this.session?.stopTalking();
    const others = [...this.seats].filter(({ room }) => room === seat.room);
    if (!others.some(({ listens }) => listens)) this.session?.listenTo(seat.room, false);
    if (this.inside.delete(seat)) this.session?.endVisit(seat.room);
    this.boost();
    if (this.seats.size) return;
    this.unused = setTimeout(() => {
      this.close();
    }, KEEP_MS);
  }

  /** Goes into the room of this card, once the relay is found; with this voice, unless another card has one already. */
  enter(seat: Seat, pin: string, voice: Voice): void {
    const { session } = this;
    if (!session || this.inside.has(seat)) return;
    const isFirst = !this.inside.size;
    // Before anything is told, since whoever is told enters.
    this.inside.add(seat);
    if (isFirst) session.choose(voice);
    const room = session.visit(seat.room);
    if (pin) room.bring(pin);
  }

  /** Talks for this card, with its voice. */
  async talk(seat: Seat, voice: Voice): Promise<void> {
    const { session } = this;
    if (!session || isTalking(session.view.talk)) return;
    session.choose({ ...voice, room: seat.room });
    const begun = session.talk(seat.room);
    this.speaker = seat;
    await begun;
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    this.session?.unblock();
    void this.booster.unblock();
  }

  private async open(): Promise<void> {
    try {
      this.begin(await this.find());
    } catch (error) {
      this.trouble = error instanceof Trouble ? error : new Trouble('unreachable', String(error));
      if (!this.closed) this.retry = setTimeout(() => void this.open(), RETRY_MS);
    }
    this.dispatchEvent(new Event('change'));
  }

  private begin(way: Way): void {
    if (this.closed) {
      way.close();
      return;
    }
    this.closeWay = () => {
      way.close();
    };
    this.throughIngress = way.throughIngress;
    this.trouble = null;
    const session = new HouseSession(way.base, cardStorage());
    this.session = session;
    // Whether to listen at once is for each card's configuration to say, not for the last visit.
    session.choose({ listensTo: [] });
    session.addEventListener('change', () => {
      this.changed(session);
    });
    session.connect();
    this.boost();
    this.watch(session);
  }

  private changed(session: HouseSession): void {
    if (!isTalking(session.view.talk)) this.speaker = null;
    this.booster.follow(session);
    this.watch(session);
    this.dispatchEvent(new Event('change'));
  }

  /** Notices when the relay does not answer. */
  private watch(session: HouseSession): void {
    if (session.view.connected) {
      clearTimeout(this.silence);
      this.silence = undefined;
      this.trouble = null;
      return;
    }
    this.silence ??= setTimeout(() => {
      this.trouble = new Trouble('unreachable', session.base.host);
      this.dispatchEvent(new Event('change'));
    }, SILENT_MS);
  }

  private boost(): void {
    this.booster.factor = Math.max(1, ...[...this.seats].map(({ boost }) => boost));
    if (this.session) this.booster.follow(this.session);
  }

  private close(): void {
    this.closed = true;
    clearTimeout(this.silence);
    clearTimeout(this.retry);
    this.session?.close();
    this.booster.close();
    this.closeWay();
    this.over();
  }
}

/** Choices of their own: a card's must not become those of the relay's page below the same Home Assistant. */
function cardStorage(): ChoiceStorage | null {
  const storage = browserStorage();
  if (!storage) return null;
  const own = (key: string) => `${key}-cards`;
  return {
    getItem: (key) => storage.getItem(own(key)),
    setItem: (key, value) => {
      storage.setItem(own(key), value);
    },
  };
}

/** All lines of a window. */
class Lines {
  readonly version: number = VERSION;
  readonly open = new Map<string, Line>();

  /** The line of this route; a new one when there is none. */
  to({ key, find }: Route): Line {
    const line =
      this.open.get(key) ??
      new Line(find, () => {
        this.open.delete(key);
      });
    this.open.set(key, line);
    return line;
  }
}

declare global {
  interface Window {
    /** The lines that cards share; for tests, too, and for the curious at the console. */
    voiceRelayLines?: Lines;
  }
}

const own = new Lines();

/** The lines of this window. */
export function lines(): Lines {
  const shared = (window.voiceRelayLines ??= own);
  return shared.version === VERSION ? shared : own;
}
