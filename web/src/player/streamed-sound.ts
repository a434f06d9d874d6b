// MP3 that is played while its chunks come. What has been heard is forgotten, and what is far ahead waits at the relay,
// so that an hour costs no more memory than two minutes.

import type { Metadata } from './file-channel';
import { FileFeed } from './file-feed';
import { firstFrame, Timetable } from './mp3';
import { bufferedAhead, type Supply, type SupplyEvents } from './supply';

/** Seconds ahead with which the relay is asked to wait, and to go on. */
const AHEAD_MOST = 60;
const AHEAD_LEAST = 40;

/** Seconds behind that are kept, so that a step back costs nothing; more than the second are forgotten. */
const BEHIND_KEPT = 30;
const BEHIND_MOST = 45;

/** Frames that are cut by the beginning of a chunk are lost; so much earlier, none of those that are wanted is. */
const EARLIER = 0.2;

/** Bitrate that is taken for granted where the length is not known: bytes a second of 128 kbit/s. */
const USUAL_RATE = 16_000;

export class StreamedSound implements Supply {
  isComplete = false;

  private readonly media = new MediaSource();
  private readonly url = URL.createObjectURL(this.media);
  private readonly feed: FileFeed;
  private buffer: SourceBuffer | null = null;
  private metadata: Metadata | null = null;
  private timetable: Timetable | null = null;
  /** Chunks that are not in the buffer yet, in order. */
  private waiting: Uint8Array<ArrayBuffer>[] = [];
  /** Everything in the buffer is of no more use. */
  private isStale = false;
  /** The next chunk begins anew at this number, somewhere within a frame. */
  private cut: number | null = null;
  private isOver = false;

  constructor(
    private readonly audio: HTMLAudioElement,
    base: URL,
    file: string,
    private wanted: number,
    private readonly events: SupplyEvents,
  ) {
    this.media.onsourceopen = () => {
      this.opened();
    };
    audio.src = this.url;
    // As time goes by there is room again.
    audio.addEventListener('timeupdate', this.pump);
    this.feed = new FileFeed(base, file, {
      metadata: (metadata) => {
        this.described(metadata);
      },
      chunk: (number, bytes) => {
        this.take(number, bytes);
      },
      complete: () => {
        this.isComplete = true;
        this.pump();
      },
      replaced: () => {
        this.beginAgain();
      },
      failed: events.failed,
      blocked: events.blocked,
      connected: events.connected,
    });
  }

  ahead(seconds: number): number {
    return this.isStale ? 0 : bufferedAhead(this.audio.buffered, seconds);
  }

  seek(seconds: number): void {
    this.wanted = seconds;
    if (this.ahead(seconds) > 0 || !this.timetable) return;
    this.goTo(seconds);
  }

  close(): void {
    this.isOver = true;
    this.feed.close();
    this.audio.removeEventListener('timeupdate', this.pump);
    URL.revokeObjectURL(this.url);
  }

  /** Lets the relay send from this place on. */
  private goTo(seconds: number): void {
    if (!this.metadata || !this.timetable) return;
    this.cut = Math.floor(this.timetable.byteAt(seconds - EARLIER) / this.metadata.chunkSize);
    this.isComplete = false;
    this.isStale = true;
    this.waiting = [];
    this.feed.seek(this.cut);
    this.pump();
  }

  private opened(): void {
    // It opens again when something is changed after its end.
    if (this.isOver || this.buffer) return;
    this.buffer = this.media.addSourceBuffer('audio/mpeg');
    this.buffer.onupdateend = () => {
      this.pump();
    };
    this.buffer.onerror = () => {
      if (!this.isOver) this.events.undecodable();
    };
    this.pump();
  }

  private described(metadata: Metadata): void {
    this.metadata ??= metadata;
    this.events.progress();
  }

  private take(number: number, bytes: ArrayBuffer): void {
    const { metadata } = this;
    if (!metadata) return;
    const chunk = new Uint8Array(bytes);
    if (!this.timetable) {
      this.timetable = new Timetable(chunk, metadata.totalSize, this.lengthOf(metadata));
      // The beginning had to be read for its tags; whoever wants another place goes there now.
      if (this.timetable.byteAt(this.wanted) >= metadata.chunkSize) {
        this.goTo(this.wanted);
        return;
      }
    }
    this.show(number, chunk, metadata);
    this.waiting.push(chunk);
    this.pump();
  }

  private show(number: number, chunk: Uint8Array<ArrayBuffer>, metadata: Metadata): void {
    const start = firstFrame(chunk);
    if (start === null || !this.timetable) return;
    const byte = number * metadata.chunkSize;
    const length = this.lengthOf(metadata);
    const [from, to] = [byte + start, byte + chunk.length].map((place) => (this.timetable?.timeOf(place) ?? 0) / length);
    this.events.came(chunk.slice(start).buffer, from ?? 0, to ?? 0);
  }

  private lengthOf({ duration, totalSize }: Metadata): number {
    return duration ?? totalSize / USUAL_RATE;
  }

  /** Does the next thing that is to be done with the buffer. It can do one at a time. */
  private readonly pump = (): void => {
    const { buffer, media, audio } = this;
    if (!buffer || buffer.updating || this.isOver || media.readyState === 'closed' || audio.error) return;
    if (this.isStale) {
      this.isStale = false;
      // Also makes the decoder forget the frame that it has half of.
      if (media.readyState === 'open') buffer.abort();
      if (buffer.buffered.length) {
        buffer.remove(0, Infinity);
        return;
      }
    }
    this.noteLength();
    if (this.forget(buffer, BEHIND_MOST)) return;
    const chunk = this.waiting[0];
    if (chunk) this.append(buffer, chunk);
    else if (this.isComplete && media.readyState === 'open') media.endOfStream();
    this.regulate();
    this.events.progress();
  };

  private noteLength(): void {
    const { media, metadata } = this;
    if (metadata && Number.isNaN(media.duration) && media.readyState === 'open') media.duration = this.lengthOf(metadata);
  }

  private append(buffer: SourceBuffer, chunk: Uint8Array<ArrayBuffer>): void {
    const { cut, metadata, timetable } = this;
    let bytes = chunk;
    if (cut !== null && metadata && timetable) {
      const start = cut === 0 ? 0 : (firstFrame(chunk) ?? 0);
      buffer.timestampOffset = timetable.timeOf(cut * metadata.chunkSize + start);
      bytes = chunk.subarray(start);
      this.cut = null;
    }
    try {
      buffer.appendBuffer(bytes);
      this.waiting.shift();
    } catch (error) {
      // The browser has less room than we hoped for: what was heard must go, and the rest waits for more to be heard.
      const isFull = error instanceof DOMException && error.name === 'QuotaExceededError';
      if (!isFull) this.events.undecodable();
      else this.forget(buffer, BEHIND_KEPT);
    }
  }

  /** Forgets what was heard, if it is more than so many seconds. True: it is about to. */
  private forget(buffer: SourceBuffer, most: number): boolean {
    const { buffered } = buffer;
    const { currentTime } = this.audio;
    const end = currentTime - BEHIND_KEPT;
    if (!buffered.length || buffered.start(0) >= Math.min(currentTime - most, end)) return false;
    buffer.remove(0, end);
    return true;
  }

  private regulate(): void {
    const { audio, metadata } = this;
    if (!metadata || this.isComplete) return;
    const rate = metadata.totalSize / this.lengthOf(metadata);
    const unread = this.waiting.reduce((sum, { length }) => sum + length, 0) / rate;
    const ahead = this.ahead(audio.currentTime) + unread;
    if (ahead > AHEAD_MOST) this.feed.hold();
    else if (ahead < AHEAD_LEAST) this.feed.release();
  }

  private beginAgain(): void {
    [this.metadata, this.timetable, this.waiting, this.cut, this.wanted] = [null, null, [], 0, 0];
    this.isComplete = false;
    this.isStale = true;
    this.events.replaced();
    this.pump();
  }
}
