// One WebSocket to the relay. A lasting one comes back by itself for as long as it is wanted; a
// single one does not. What the messages mean is its owner's business.

import { backoff } from './backoff';

/** A socket on which nothing came for so long is asked for a sign of life… */
const QUIET_MS = { usual: 4_000, urgent: 1_500 };
/** …and given up when none follows. A restart behind a dead Wi-Fi link shows no other way. */
const ANSWER_MS = 3_000;

/** When there is reason to doubt, the sign of life must come sooner. */
const DOUBT_MS = 1_500;

/** A socket that does not open by then is given up; each try has somewhat longer, for slow networks. */
const OPEN_MS = { first: 2_000, more: 500, longest: 6_000 };

/** Without any network there is no use in trying; when there is one, the browser tells. */
const OFFLINE_MS = 5_000;

/** The words that are spoken on a socket: what we say, and what is said to us. */
export interface Dialect<Said, Heard> {
  /** Reads a frame; null for what is not known. */
  parse(frame: unknown): Heard | null;
  /** What is always answered, and changes nothing. */
  lifeSign: Said;
}

/** What the owner of a socket wants to hear. */
export interface SignallingEvents<Heard> {
  up(): void;
  down(): void;
  message(message: Heard): void;
}

/** One signalling connection. */
export class Signalling<Said, Heard> {
  private socket: WebSocket | null = null;
  private attempt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private watch: ReturnType<typeof setTimeout> | undefined;
  private wanted = false;

  /** Whether a loss must be noticed soon: somebody talks, and is not heard. */
  urgent = false;

  constructor(
    private readonly url: string,
    private readonly dialect: Dialect<Said, Heard>,
    private readonly events: SignallingEvents<Heard>,
    private readonly lasting: boolean,
  ) {}

  /** Whether messages can be sent. */
  get isUp(): boolean {
    return this.socket?.readyState === WebSocket.OPEN;
  }

  /** Connects now, without waiting for the next try. */
  connect(): void {
    this.wanted = true;
    clearTimeout(this.retry);
    if (this.socket) return;
    const socket = new WebSocket(this.url);
    this.socket = socket;
    this.watch = setTimeout(() => {
      this.drop();
    }, Math.min(OPEN_MS.first + OPEN_MS.more * this.attempt, OPEN_MS.longest));
    socket.onopen = () => {
      this.attempt = 0;
      this.listen();
      this.events.up();
    };
    socket.onmessage = (event: MessageEvent<unknown>) => {
      this.listen();
      const message = this.dialect.parse(event.data);
      if (message) this.events.message(message);
    };
    socket.onclose = () => {
      this.drop();
    };
  }

  /** Says something; lost when the socket is down, since coming up begins anew anyway. */
  send(message: Said): void {
    if (this.isUp) this.socket?.send(JSON.stringify(message));
  }

  /** Closes for good. */
  close(): void {
    this.wanted = false;
    clearTimeout(this.retry);
    this.forget();
  }

  /** Makes sure at once that the other side is there: after sleep, or a change of network. */
  probe(): void {
    if (!this.wanted) return;
    if (this.isUp) {
      this.ask(DOUBT_MS);
      return;
    }
    // What was begun on a network that is gone would wait for its time to run out.
    this.drop();
    if (this.lasting) this.connect();
  }

  private listen(): void {
    clearTimeout(this.watch);
    this.watch = setTimeout(() => {
      this.ask(this.urgent ? DOUBT_MS : ANSWER_MS);
    }, this.urgent ? QUIET_MS.urgent : QUIET_MS.usual);
  }

  private ask(patience: number): void {
    clearTimeout(this.watch);
    this.send(this.dialect.lifeSign);
    this.watch = setTimeout(() => {
      this.drop();
    }, patience);
  }

  /** The connection is lost. */
  private drop(): void {
    if (!this.socket) return;
    this.forget();
    this.events.down();
    if (!this.wanted || !this.lasting) return;
    const wait = navigator.onLine ? backoff(this.attempt++, document.hidden, Math.random()) : OFFLINE_MS;
    this.retry = setTimeout(() => {
      this.connect();
    }, wait);
  }

  private forget(): void {
    clearTimeout(this.watch);
    const socket = this.socket;
    this.socket = null;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }
}

/** The WebSocket next to the page, also below a path of somebody else's. */
export function socketUrl(base: URL): string {
  const url = new URL('ws', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}

/** Reads a frame whose type is one of these; null for any other, as other versions may say. */
export function readFrame(frame: unknown, known: ReadonlySet<string>): object | null {
  if (typeof frame !== 'string') return null;
  try {
    const message = JSON.parse(frame) as { type?: unknown } | null;
    return typeof message?.type === 'string' && known.has(message.type) ? message : null;
  } catch {
    return null;
  }
}
