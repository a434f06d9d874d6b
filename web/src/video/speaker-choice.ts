// Which picture is large: the one that was tapped; else a screen; else whoever talks, and stays so for a moment, so that a
// word of somebody else does not change the picture.

/** Whoever talks has the large picture for so long, at least. */
export const HOLD_MS = 2_000;

/** What is known of a picture for the choice. */
export interface Candidate {
  key: string;
  kind: 'camera' | 'screen';
  you: boolean;
  talking: boolean;
}

/** Choice of the large picture. */
export class SpeakerChoice {
  private pinned: string | null = null;
  private current: string | null = null;
  private since = -Infinity;

  /** This one is large until another is, or nobody's by wish. */
  pin(key: string | null): void {
    this.pinned = key;
  }

  /** The key of the large picture; null when there is none. */
  choose(pictures: readonly Candidate[], now: number): string | null {
    const has = (key: string | null) => pictures.some((picture) => picture.key === key);
    if (has(this.pinned)) return this.pinned;
    const screen = pictures.find(({ kind, you }) => kind === 'screen' && !you);
    if (screen) return screen.key;
    const others = pictures.filter(({ you }) => !you);
    const talking = others.find((picture) => picture.talking && picture.key !== this.current);
    const isHeld = has(this.current) && (now - this.since < HOLD_MS || others.some(({ key, talking: talks }) => talks && key === this.current));
    if (talking && !isHeld) [this.current, this.since] = [talking.key, now];
    else if (!has(this.current)) [this.current, this.since] = [(others[0] ?? pictures[0])?.key ?? null, -Infinity];
    return this.current;
  }
}
