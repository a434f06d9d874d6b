// How the bytes of a file become sound in an audio element: what all ways have in common.

import type { Blockage } from '../session/carriage';

/** The ways: played while chunks come, when all have come, or by the browser's own requests. */
export type Way = 'stream' | 'whole' | 'address';

/** What the player wants to hear of a supply. */
export interface SupplyEvents {
  /** There is more, or something else is known. */
  progress(): void;
  /** This is what is played from one share of the file to another, for those who draw it. */
  came(bytes: ArrayBuffer, from: number, to: number): void;
  replaced(): void;
  /** The file cannot be had. */
  failed: (code: string) => void;
  /** The browser cannot play it, this way. */
  undecodable(): void;
  /** No packet gets through, this way. */
  blocked: (blockage: Blockage) => void;
  connected: (isConnected: boolean) => void;
}

/** Fills an audio element. */
export interface Supply {
  /** Seconds of sound that can be played at once from here. */
  ahead(seconds: number): number;
  /** Whether everything up to the end is here. */
  readonly isComplete: boolean;
  /** Makes this place playable; the element is then sent there. */
  seek(seconds: number): void;
  close(): void;
}

/** Seconds of what the element has, from here on without a gap. */
export function bufferedAhead(buffered: TimeRanges, seconds: number): number {
  for (let index = 0; index < buffered.length; index++) {
    const [start, end] = [buffered.start(index), buffered.end(index)];
    // Frames are not cut to the very moment that is asked for.
    if (seconds >= start - 0.1 && seconds < end) return end - seconds;
  }
  return 0;
}

/** Sound that is played in so much less time than it takes was not heard. */
const TOO_SOON = 2;

/** Whether a browser has passed over what it cannot decode: as many seconds as it says were `played` in so many. */
export function wasPassedOver(played: number, took: number): boolean {
  return played > took + TOO_SOON;
}
