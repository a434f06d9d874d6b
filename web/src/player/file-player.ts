// Plays one file, whatever becomes of the relay meanwhile. Has no face.

import { AddressSound } from './address-sound';
import { PlayerMemory, type Taste } from './kept';
import type { Blockage } from '../session/carriage';
import type { SoundFile } from './library';
import { Peaks } from './peaks';
import { problemOf, type PlayProblem, type PlayState } from './play-state';
import { isEnough } from './pre-buffer';
import { wasPassedOver, type Supply, type SupplyEvents, type Way } from './supply';
import { openSupply, waysFor } from './ways';

/** So many failures to decode, one after another, are the end. */
const FAILURES_MOST = 3;

/** Seconds between two notes of where we are. */
const NOTE_EVERY = 5;

export class FilePlayer extends EventTarget {
  readonly audio = new Audio();

  file: SoundFile | null = null;
  problem: PlayProblem | null = null;
  /** It was replaced while it was played, and has begun anew. */
  wasReplaced = false;
  peaks: Peaks | null = null;
  way: Way | null = null;
  /** No packet gets through, so files come by http. */
  blockage: Blockage | null = null;

  private readonly memory = new PlayerMemory();
  private supply: Supply | null = null;
  private isConnected = true;
  /** Whether sound is wanted; the element may be paused for want of it. */
  private wantsSound = false;
  private failures = 0;
  /** The place that was asked for last, and when. */
  private from = 0;
  private began = 0;
  private noted = 0;

  constructor(private readonly base: URL) {
    super();
    this.audio.volume = this.taste.volume;
    this.listen();
  }

  get taste(): Taste {
    return this.memory.taste;
  }

  get state(): PlayState {
    if (this.problem) return 'failed';
    if (!this.supply) return 'stopped';
    if (!this.wantsSound) return 'paused';
    const isHeard = !this.audio.paused && this.audio.readyState > this.audio.HAVE_CURRENT_DATA;
    if (isHeard) return 'playing';
    return this.isConnected ? 'buffering' : 'reconnecting';
  }

  /** Seconds. */
  get position(): number {
    return this.audio.currentTime;
  }

  /** Seconds; 0 while nobody knows. */
  get duration(): number {
    const { duration } = this.audio;
    return Number.isFinite(duration) ? duration : (this.file?.duration ?? 0);
  }

  /** Plays this file from where it was left. */
  play(file: SoundFile): void {
    this.close();
    this.file = file;
    this.failures = 0;
    this.wasReplaced = false;
    this.wantsSound = true;
    this.open(file, this.memory.placeOf(file.id));
  }

  toggle(): void {
    if (this.problem || !this.supply) this.again();
    else if (this.wantsSound) this.pause();
    else this.goOn();
  }

  pause(): void {
    this.wantsSound = false;
    this.hush();
    this.note();
    this.changed();
  }

  goOn(): void {
    this.wantsSound = true;
    this.tick();
  }

  stop(): void {
    this.close();
    this.file = null;
    this.changed();
  }

  /** Once more, after a failure or its end. */
  again(): void {
    if (this.file) this.play(this.file);
  }

  seek(seconds: number): void {
    if (!this.supply) return;
    const place = Math.min(Math.max(seconds, 0), Math.max(this.duration - 0.1, 0));
    this.supply.seek(place);
    this.audio.currentTime = place;
    this.ask(place);
    if (!this.hasEnough()) this.hush();
    this.note();
    this.tick();
  }

  set volume(volume: number) {
    const kept = Math.min(Math.max(volume, 0), 1);
    this.audio.volume = kept;
    this.keep({ volume: kept });
  }

  set speed(speed: number) {
    this.audio.defaultPlaybackRate = speed;
    this.audio.playbackRate = speed;
    this.ask(this.position);
    this.changed();
  }

  keep(taste: Partial<Taste>): void {
    this.memory.keepTaste(taste);
    this.tick();
  }

  private listen(): void {
    const { audio } = this;
    const on = (kind: string, then: () => void) => {
      audio.addEventListener(kind, then);
    };
    for (const kind of ['canplay', 'canplaythrough', 'playing', 'progress', 'seeked', 'durationchange']) on(kind, this.tick);
    on('timeupdate', () => {
      if (Math.abs(audio.currentTime - this.noted) > NOTE_EVERY) this.note();
      this.tick();
    });
    on('waiting', () => {
      if (!this.hasEnough()) this.hush();
      this.tick();
    });
    on('pause', () => {
      // We pause for want of sound only; somebody else has done this: the system, for a call.
      if (audio.paused && !audio.ended && this.hasEnough()) this.wantsSound = false;
      this.changed();
    });
    on('ended', () => {
      this.ended();
    });
    on('error', () => {
      if (this.supply instanceof AddressSound) void this.supply.explain();
      else if (this.supply) this.undecodable();
    });
  }

  /** Opens it in the way that has not failed yet. */
  private open(file: SoundFile, at: number): void {
    const ways = this.blockage ? (['address'] as const) : waysFor(file);
    const way = ways[Math.min(this.failures, ways.length - 1)] ?? 'address';
    this.closeSupply();
    this.way = way;
    this.isConnected = true;
    this.ask(at);
    this.peaks = new Peaks(this.changed);
    this.supply = openSupply(way, this.audio, this.base, file, at, this.eventsOf(file, at));
    if (at > 0) this.audio.currentTime = at;
    this.changed();
  }

  private eventsOf(file: SoundFile, at: number): SupplyEvents {
    return {
      progress: this.tick,
      came: (bytes, from, to) => {
        this.peaks?.take(bytes, from, to, (to - from) * (file.duration ?? Infinity));
      },
      replaced: () => {
        this.wasReplaced = true;
        this.hush();
        this.audio.currentTime = 0;
        this.changed();
      },
      failed: (code) => {
        this.fail(problemOf(code));
      },
      blocked: (blockage) => {
        this.blockage = blockage;
        this.open(file, this.position || at);
        this.tick();
      },
      undecodable: () => {
        this.undecodable();
      },
      connected: (isConnected) => {
        this.isConnected = isConnected;
        this.changed();
      },
    };
  }

  /** Looks at what is there, and lets it be heard if it is enough. */
  private readonly tick = (): void => {
    const { audio, from } = this;
    // At its end before it has begun: there is nothing in it that can be decoded.
    if (this.wantsSound && this.supply && audio.ended && audio.currentTime === from && from < this.duration - 1) {
      this.undecodable(from);
      return;
    }
    if (this.wantsSound && this.supply && audio.paused && !audio.ended && this.hasEnough()) {
      audio.play().catch((error: unknown) => {
        // The browser wants a tap first. Whatever else ends it is told by other events.
        if (error instanceof DOMException && error.name === 'NotAllowedError') this.pause();
      });
    }
    this.changed();
  };

  /** Seconds since this place was asked for. */
  private get waited(): number {
    return (performance.now() - this.began) / 1_000;
  }

  private hasEnough(): boolean {
    const { supply, audio } = this;
    if (!supply) return false;
    const left = this.duration - audio.currentTime;
    return isEnough({
      ahead: supply.ahead(audio.currentTime),
      isLast: supply.isComplete || supply.ahead(audio.currentTime) >= left,
      waited: this.waited,
      fastStart: this.taste.fastStart,
      speed: audio.playbackRate,
    });
  }

  private ask(place: number): void {
    [this.from, this.began] = [place, performance.now()];
  }

  private hush(): void {
    this.audio.pause();
  }

  private ended(): void {
    const { file, audio, from } = this;
    if (wasPassedOver(audio.currentTime - from, this.waited * audio.playbackRate)) {
      this.undecodable(from);
      return;
    }
    if (file) this.memory.keepPlace(file.id, 0, 0);
    this.supply?.close();
    this.supply = null;
    this.finished();
  }

  /** The file was played to its end. */
  protected finished(): void {
    this.stop();
  }

  private undecodable(at = this.audio.currentTime): void {
    const { file } = this;
    if (!file) return;
    this.failures += 1;
    if (this.failures >= FAILURES_MOST) this.fail('undecodable');
    else this.open(file, at);
  }

  private fail(problem: PlayProblem): void {
    this.close();
    this.problem = problem;
    this.changed();
  }

  /** Ends what is played, and keeps where it was. */
  close(): void {
    this.note();
    this.wantsSound = false;
    this.problem = null;
    this.closeSupply();
  }

  private closeSupply(): void {
    this.hush();
    this.supply?.close();
    this.peaks?.close();
    [this.supply, this.peaks, this.way] = [null, null, null];
    if (!this.audio.hasAttribute('src')) return;
    this.audio.removeAttribute('src');
    this.audio.load();
  }

  /** Keeps where we are. */
  note(): void {
    if (!this.file || !this.supply) return;
    this.noted = this.audio.currentTime;
    this.memory.keepPlace(this.file.id, this.noted, this.duration);
  }

  protected readonly changed = (): void => {
    this.dispatchEvent(new Event('change'));
  };
}
