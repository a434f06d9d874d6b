// A file that the browser fetches by itself, by ranges: what is too large to be kept, or cannot be had otherwise.

import { retryDelay } from './file-feed';
import { bufferedAhead, type Supply, type SupplyEvents } from './supply';

export class AddressSound implements Supply {
  isComplete = false;

  private retry: ReturnType<typeof setTimeout> | undefined;
  private attempts = 0;
  private isOver = false;

  constructor(
    private readonly audio: HTMLAudioElement,
    private readonly address: URL,
    private wanted: number,
    private readonly events: SupplyEvents,
  ) {
    audio.preload = 'auto';
    this.load();
  }

  ahead(seconds: number): number {
    // The browser knows best when it can play through; it may fetch no more before it plays.
    const { audio } = this;
    return audio.readyState === audio.HAVE_ENOUGH_DATA ? Infinity : bufferedAhead(audio.buffered, seconds);
  }

  seek(seconds: number): void {
    this.wanted = seconds;
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.retry);
  }

  /** The element has failed: finds out whether the relay is away, the file, or what can be decoded of it. */
  async explain(): Promise<void> {
    this.wanted = this.audio.currentTime || this.wanted;
    const answer = await fetch(this.address, { method: 'HEAD', cache: 'no-store' }).catch(() => null);
    if (this.isOver) return;
    if (answer?.status === 404) this.events.failed('gone');
    else if (answer?.ok) this.events.undecodable();
    else this.comeBack();
  }

  private comeBack(): void {
    this.events.connected(false);
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.load();
    }, retryDelay(this.attempts++));
  }

  private load(): void {
    const { audio } = this;
    audio.src = this.address.href;
    audio.currentTime = this.wanted;
    audio.addEventListener(
      'canplay',
      () => {
        this.attempts = 0;
        this.events.connected(true);
      },
      { once: true },
    );
  }
}
