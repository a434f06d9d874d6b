// How much must be here before it is played. Pure.

/** Seconds that are here before it begins. */
const PRE_BUFFER = 10;

/** With a fast start: the least of them, and how much faster than it is played sound has to come. */
const FAST_BUFFER = 1;
const FAST_ENOUGH = 1.25;

/** What is here, and how soon it came. */
export interface Here {
  /** Seconds of sound that follow without a gap. */
  ahead: number;
  /** Nothing comes after them. */
  isLast: boolean;
  /** Seconds since they were asked for. */
  waited: number;
  /** To begin as soon as it can be played through. */
  fastStart: boolean;
  /** 1 is as it was recorded. */
  speed: number;
}

/** Whether it can begin, or go on. */
export function isEnough({ ahead, isLast, waited, fastStart, speed }: Here): boolean {
  if (isLast || ahead >= PRE_BUFFER) return ahead > 0;
  return fastStart && ahead >= FAST_BUFFER && ahead >= waited * FAST_ENOUGH * speed;
}
