// A file that is played when all of it has come: what browsers do not take piece by piece.

import type { Metadata } from './file-channel';
import { FileFeed } from './file-feed';
import type { Supply, SupplyEvents } from './supply';

export class WholeSound implements Supply {
  isComplete = false;

  private readonly feed: FileFeed;
  private metadata: Metadata | null = null;
  private chunks: ArrayBuffer[] = [];
  private url = '';

  constructor(
    private readonly audio: HTMLAudioElement,
    base: URL,
    file: string,
    private wanted: number,
    private readonly events: SupplyEvents,
  ) {
    this.feed = new FileFeed(base, file, {
      metadata: (metadata) => {
        this.metadata ??= metadata;
      },
      chunk: (_number, bytes) => {
        this.chunks.push(bytes);
        events.progress();
      },
      complete: () => {
        this.finish();
      },
      replaced: () => {
        [this.chunks, this.metadata, this.wanted] = [[], null, 0];
        events.replaced();
      },
      failed: events.failed,
      blocked: events.blocked,
      connected: events.connected,
    });
  }

  ahead(seconds: number): number {
    return this.isComplete ? Math.max(this.audio.duration - seconds, 0) : 0;
  }

  seek(seconds: number): void {
    this.wanted = seconds;
  }

  close(): void {
    this.feed.close();
    URL.revokeObjectURL(this.url);
    this.chunks = [];
  }

  private finish(): void {
    const { audio, metadata, chunks, events } = this;
    if (!metadata) return;
    this.isComplete = true;
    const blob = new Blob(chunks, { type: metadata.mime });
    this.url = URL.createObjectURL(blob);
    audio.src = this.url;
    audio.currentTime = this.wanted;
    this.chunks = [];
    events.progress();
    void blob.arrayBuffer().then((bytes) => {
      events.came(bytes, 0, 1);
    });
  }
}
