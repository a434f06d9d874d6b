// The sound of a call: a bell where it rings, and a softer tone where somebody waits for an answer. Made here; silent the
// moment it is to be.

import { strike } from '../session/chime';
import { playOn } from '../session/devices';

/** What is heard. */
export type Ringing = 'bell' | 'waiting';

/** Hertz, and seconds from the beginning of a round. */
const TONES: Record<Ringing, readonly (readonly [pitch: number, at: number])[]> = {
  bell: [[783.99, 0], [659.26, 0.25], [783.99, 0.5], [659.26, 0.75]],
  waiting: [[440, 0], [440, 0.35]],
};

/** One round begins after the other. */
const ROUND_MS: Record<Ringing, number> = { bell: 2_400, waiting: 3_600 };

/** By day; whoever waits, and whoever sleeps, is spared. */
const LOUDNESS = { bell: 0.4, waiting: 0.06 };
const AT_NIGHT = 0.3;

/** Hours of the night, by the device's own clock. */
const NIGHT = { from: 22, until: 7 };

/** Rings until it is told not to. */
export class Ringer {
  private ringing: Ringing | null = null;
  private end: AbortController | null = null;

  /** Rings like this from now on, on this loudspeaker; `null`: not at all. */
  ring(what: Ringing | null, loudspeaker: string): void {
    if (what === this.ringing) return;
    this.ringing = what;
    this.end?.abort();
    this.end = null;
    if (!what) return;
    this.end = new AbortController();
    void play(what, loudspeaker, this.end.signal);
  }
}

async function play(what: Ringing, loudspeaker: string, end: AbortSignal): Promise<void> {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  const audio = new Audio();
  audio.srcObject = output.stream;
  const hour = new Date().getHours();
  const isNight = hour >= NIGHT.from || hour < NIGHT.until;
  const loudness = LOUDNESS[what] * (isNight ? AT_NIGHT : 1);
  const strikeAll = () => {
    for (const [pitch, at] of TONES[what]) void strike(context, output, pitch, context.currentTime + at, loudness);
  };
  const rounds = setInterval(strikeAll, ROUND_MS[what]);
  end.addEventListener('abort', () => {
    clearInterval(rounds);
    audio.srcObject = null;
    void context.close();
  });
  try {
    await playOn(loudspeaker, audio);
    await audio.play();
    if (!end.aborted) strikeAll();
  } catch {
    // Nobody has tapped this page yet: it can be seen, and not heard.
  }
}
