// Music steps back while somebody talks: how loud it is at every moment. Time is passed in.

/** What is left of the music under speech. */
const UNDER = 0.25;

/** It steps back within this time, so that no first word is lost, … */
const DOWN_MS = 80;
/** … stays there through the pauses between sentences, … */
const HOLD_MS = 600;
/** … and comes back slowly enough not to startle. */
const UP_MS = 400;

/** The loudness of music in one room. */
export class Ducking {
  private isSpoken = false;
  /** When the talking last began or ended, and how loud the music was then. */
  private since = -Infinity;
  private from = 1;

  /** Somebody talks, or nobody does any more. */
  note(isSpoken: boolean, now: number): void {
    if (isSpoken === this.isSpoken) return;
    this.from = this.gainAt(now);
    this.isSpoken = isSpoken;
    this.since = now;
  }

  /** From 0 to 1. */
  gainAt(now: number): number {
    const passed = now - this.since;
    if (this.isSpoken) return between(this.from, UNDER, passed / DOWN_MS);
    // Speech so short that the music had not stepped back yet lets it do so first.
    const held = between(this.from, UNDER, passed / DOWN_MS);
    return passed < HOLD_MS ? held : between(held, 1, (passed - HOLD_MS) / UP_MS);
  }

  /** Whether the loudness is on its way, or soon will be. */
  isMoving(now: number): boolean {
    return now - this.since < (this.isSpoken ? DOWN_MS : HOLD_MS + UP_MS);
  }
}

function between(from: number, to: number, share: number): number {
  return from + (to - from) * Math.min(1, Math.max(0, share));
}
