// How the bytes of a file become sound in an audio element: what all ways have in common.

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
