// What we hear of a room: one audio element for each slot, as loud as the person who is in it. Elements, since
// Chromium decodes remote sound for nothing else, and more browsers let these choose a loudspeaker than contexts.

import { playOn } from '../session/devices';
import { onGesture } from '../session/surroundings';
import { Ducking } from './ducking';

/** The longest that browsers let sound wait on purpose (WebRTC extensions, jitterBufferTarget). */
export const LONGEST_DELAY_MS = 4_000;

/** How often the loudness of music changes on its way down or up. */
const STEP_MS = 20;

/** How loud a slot is to be, and what is in it. */
export interface Loudness {
  volume: number;
  music: boolean;
  urgent: boolean;
}

/** One sound that comes. */
export interface RoomSound {
  /** Of its slot. */
  mid: string;
  track: MediaStreamTrack;
  /** From 0 to 1. */
  volume: number;
}

/** What ears need of their owner. */
export interface EarsOwner {
  /** Of the person in this slot now. */
  loudnessIn(mid: string): Loudness;
  loudspeaker(): string;
  changed(): void;
}

/** All slots of one participant, as they sound. */
export class RoomEars {
  private readonly slots = new Map<string, { audio: HTMLAudioElement; receiver: RTCRtpReceiver }>();
  /** Of music below voices, and of both below what is urgent. */
  private readonly ducking = new Ducking();
  private readonly belowUrgent = new Ducking();
  private readonly blocked = new Set<string>();
  private delayMs = 0;
  private isMuted = false;
  private stepping: ReturnType<typeof setInterval> | undefined;
  private ignoreGestures: (() => void) | null = null;

  constructor(private readonly owner: EarsOwner) {}

  /** Whether the browser holds sound back until a tap. */
  get isBlocked(): boolean {
    return this.blocked.size > 0;
  }

  /** Keeps all elements silent, whose sound somebody else plays. */
  set muted(muted: boolean) {
    this.isMuted = muted;
    for (const { audio } of this.slots.values()) audio.muted = muted;
  }

  /** What comes in the slots, and how loud it should be. */
  get sounds(): RoomSound[] {
    const sounds = [...this.slots].map(([mid, { receiver }]) => ({ mid, track: receiver.track, volume: this.volumeIn(mid) }));
    return sounds.filter(({ volume }) => volume > 0);
  }

  /** Milliseconds that sound waits on purpose, so that it does not stumble. */
  get delay(): number {
    return this.delayMs;
  }

  set delay(milliseconds: number) {
    this.delayMs = Math.min(milliseconds, LONGEST_DELAY_MS);
    for (const { receiver } of this.slots.values()) receiver.jitterBufferTarget = this.delayMs;
  }

  /** Plays what comes in this slot. */
  put(mid: string, receiver: RTCRtpReceiver): void {
    const audio = new Audio();
    audio.muted = this.isMuted;
    // Of its own: streams that share one are made to wait for one another.
    audio.srcObject = new MediaStream([receiver.track]);
    receiver.jitterBufferTarget = this.delayMs;
    this.silence(mid);
    this.slots.set(mid, { audio, receiver });
    this.apply();
    void this.play(mid, audio);
  }

  /** Ends all sound: the connection is gone, or another takes its place. */
  clear(): void {
    for (const mid of this.slots.keys()) this.silence(mid);
    clearInterval(this.stepping);
    this.stepping = undefined;
    this.awaitGesture();
  }

  /** Somebody talks, or nobody does: music makes room, and all do for what is urgent. */
  duck(isSpoken: boolean, isUrgent: boolean): void {
    this.ducking.note(isSpoken, performance.now());
    this.belowUrgent.note(isUrgent, performance.now());
    this.stepping ??= setInterval(() => {
      this.apply();
      const now = performance.now();
      if (this.ducking.isMoving(now) || this.belowUrgent.isMoving(now)) return;
      clearInterval(this.stepping);
      this.stepping = undefined;
    }, STEP_MS);
    this.apply();
  }

  /** Makes every slot as loud as it should be now. */
  apply(): void {
    for (const [mid, { audio }] of this.slots) audio.volume = this.volumeIn(mid);
  }

  /** Goes on with the loudspeaker chosen now. */
  moveToLoudspeaker(): void {
    for (const { audio } of this.slots.values()) void playOn(this.owner.loudspeaker(), audio);
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    for (const mid of this.blocked) {
      const slot = this.slots.get(mid);
      if (slot) void this.play(mid, slot.audio);
    }
  }

  private volumeIn(mid: string): number {
    const { volume, music, urgent } = this.owner.loudnessIn(mid);
    const now = performance.now();
    return Math.min(1, volume * (music ? this.ducking.gainAt(now) : 1) * (urgent ? 1 : this.belowUrgent.gainAt(now)));
  }

  private async play(mid: string, audio: HTMLAudioElement): Promise<void> {
    try {
      await playOn(this.owner.loudspeaker(), audio);
      await audio.play();
      this.blocked.delete(mid);
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError' && audio.srcObject) this.blocked.add(mid);
    }
    this.awaitGesture();
    this.owner.changed();
  }

  private silence(mid: string): void {
    const slot = this.slots.get(mid);
    this.slots.delete(mid);
    this.blocked.delete(mid);
    if (slot) slot.audio.srcObject = null;
  }

  private awaitGesture(): void {
    if (this.isBlocked) {
      this.ignoreGestures ??= onGesture(() => {
        this.unblock();
      });
    } else {
      this.ignoreGestures?.();
      this.ignoreGestures = null;
    }
  }
}
