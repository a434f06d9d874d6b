// The music that we share in a room: one source at a time, for as long as it lasts.

import { MusicError, type MusicProblem, type MusicSource } from './music-source';
import type { MusicView } from './room-view';

/** What sharing needs of the room. */
export interface MusicPlace {
  carry(track: MediaStreamTrack | null): Promise<void>;
  /** Tells the relay that music begins, or has ended. */
  say(on: boolean, title: string): void;
  changed(): void;
}

/** Our music. */
export class RoomMusic {
  private source: MusicSource | null = null;
  private problem: MusicProblem | null = null;

  constructor(private readonly place: MusicPlace) {}

  /** Everything there is to show. */
  get view(): MusicView {
    const player = this.source?.player ?? null;
    return {
      title: this.source?.title ?? null,
      problem: this.problem,
      player: player && { paused: player.paused, position: player.position, length: player.length, volume: player.volume },
    };
  }

  /** Pause, place and volume of a file; null for what has none. */
  get player(): MusicSource['player'] {
    return this.source?.player ?? null;
  }

  /** Shares this source from now on, in place of another. */
  async share(open: () => Promise<MusicSource>): Promise<void> {
    this.problem = null;
    try {
      const source = await open();
      this.release();
      source.onended = () => {
        this.stop();
      };
      source.onchange = () => {
        this.place.changed();
      };
      this.source = source;
      await this.resume();
    } catch (error) {
      if (!(error instanceof MusicError)) throw error;
      this.problem = error.problem;
    }
    this.place.changed();
  }

  /** We are in the room, again perhaps, with a new connection. */
  async resume(): Promise<void> {
    const { source } = this;
    if (!source) return;
    this.place.say(true, source.title);
    // A connection that cannot take it is about to be replaced, and the next one gets it.
    await this.place.carry(source.track).catch(() => undefined);
  }

  /** Ends it. */
  stop(): void {
    if (!this.source) return;
    this.place.say(false, '');
    void this.place.carry(null).catch(() => undefined);
    this.release();
    this.place.changed();
  }

  private release(): void {
    const { source } = this;
    this.source = null;
    if (!source) return;
    source.onended = source.onchange = () => undefined;
    source.close();
  }
}
