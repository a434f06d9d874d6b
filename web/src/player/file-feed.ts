// The chunks of one file, in order, whatever becomes of connections: a new one goes on where the last one was.

import type { Blockage } from '../session/carriage';
import { FileChannel, type FromRelay, type Metadata } from './file-channel';

/** What the owner of a feed wants to hear. */
export interface FeedEvents {
  metadata(metadata: Metadata): void;
  chunk(number: number, bytes: ArrayBuffer): void;
  complete(): void;
  /** Another file has taken its place; it follows from its beginning. */
  replaced(): void;
  /** It cannot be had; the code is the protocol's. */
  failed(code: string): void;
  /** No packet gets through to us: it has to come in another way. */
  blocked(blockage: Blockage): void;
  /** Whether the connection is there, or looked for. */
  connected(isConnected: boolean): void;
}

/** Waiting times before one try after another; the last one stays. */
export const RETRY_MS = [500, 1_000, 2_000, 4_000] as const;

/** Before try number `attempt`, counted from 0. */
export function retryDelay(attempt: number): number {
  return RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] ?? 0;
}

export class FileFeed {
  /** The chunk that comes next. */
  private next = 0;
  /** While it is set, what comes is still of an older wish. */
  private isStale = true;
  private known: Metadata | null = null;
  private channel: FileChannel | null = null;
  /** It has told of the file on this connection. */
  private isReady = false;
  /** Seeks that it has not answered yet. */
  private unanswered = 0;
  private isHeld = false;
  private isComplete = false;
  private isOver = false;
  private attempts = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly base: URL,
    private readonly file: string,
    private readonly events: FeedEvents,
  ) {
    this.connect();
  }

  /** Goes on from this chunk. */
  seek(chunk: number): void {
    this.next = chunk;
    this.isStale = true;
    this.isHeld = false;
    this.isComplete = false;
    if (!this.channel) this.connect();
    if (!this.isReady) return;
    this.unanswered += 1;
    this.channel?.say({ type: 'seek', chunk });
  }

  /** Wants no more for now. What is under way still comes. */
  hold(): void {
    if (this.isHeld || this.isComplete || this.isStale) return;
    this.isHeld = true;
    this.channel?.say({ type: 'pause' });
  }

  /** Wants more again. */
  release(): void {
    if (this.isHeld) this.seek(this.next);
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.retry);
    this.channel?.close();
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.isStale = true;
    this.channel = new FileChannel(this.base, {
      opened: () => {
        this.opened();
      },
      said: (message) => {
        this.heard(message);
      },
      chunk: (bytes) => {
        if (!this.isStale) this.events.chunk(this.next++, bytes);
      },
      lost: (blockage) => {
        this.lost(blockage);
      },
    });
  }

  private opened(): void {
    const { known, file } = this;
    const type = known ? 'resume' : 'play';
    const same = known && (known.sha256 ? { sha256: known.sha256 } : { version: known.version });
    this.channel?.say({ type, file, fromChunk: this.next, ...same });
  }

  private lost(blockage: Blockage | null): void {
    [this.channel, this.isReady] = [null, false];
    if (blockage && !this.isOver) {
      this.close();
      this.events.blocked(blockage);
      return;
    }
    // Whoever wants nothing now needs no connection: the relay closes those that are idle.
    if (this.isOver || this.isHeld || this.isComplete) return;
    this.events.connected(false);
    this.retry = setTimeout(() => {
      this.connect();
    }, retryDelay(this.attempts++));
  }

  private heard(message: FromRelay): void {
    if (message.type === 'metadata' && message.file === this.file) this.begin(message);
    else if (message.type === 'sending') this.answered();
    else if (message.type === 'complete' && !this.isStale) this.end(message.sha256);
    else if (message.type === 'error') this.refused(message.code);
  }

  private begin(metadata: Metadata): void {
    this.attempts = 0;
    this.events.connected(true);
    this.known = metadata;
    [this.isStale, this.isReady, this.unanswered] = [false, true, 0];
    // Whoever hears of it may wish for another place, or have done so while the file was being opened.
    this.events.metadata(metadata);
    if (metadata.fromChunk !== this.next) this.seek(this.next);
  }

  private answered(): void {
    this.unanswered -= 1;
    if (this.unanswered === 0) this.isStale = false;
  }

  private end(sha256: string): void {
    this.isComplete = true;
    if (this.known) this.known.sha256 = sha256;
    this.events.complete();
  }

  private refused(code: string): void {
    if (code === 'changed') {
      [this.next, this.isStale, this.isReady, this.isHeld, this.isComplete] = [0, true, false, false, false];
      this.events.replaced();
      return;
    }
    // A pause that came too late: nothing was left to be sent.
    if (code === 'nothing_open') return;
    this.close();
    this.events.failed(code);
  }
}
