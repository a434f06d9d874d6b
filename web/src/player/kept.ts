// What the player keeps between visits: where each file was left, and how it is to sound.

import { browserStorage, type ChoiceStorage } from '../session/choices';

/** Places of so many files are kept; the oldest are forgotten. */
const PLACES_MOST = 200;

/** Whoever has heard less than this begins anew, and so does whoever has this left. */
const EDGE_SECONDS = 5;

const KEY = 'voice-relay-player';

/** How files are to sound, and begin. */
export interface Taste {
  volume: number;
  fastStart: boolean;
}

interface Kept extends Taste {
  /** Seconds by file, those that were left last at the end. */
  places: [file: string, seconds: number][];
}

const USUAL: Kept = { volume: 1, fastStart: false, places: [] };

export class PlayerMemory {
  private kept: Kept;

  constructor(private readonly storage: ChoiceStorage | null = browserStorage()) {
    this.kept = this.read();
  }

  get taste(): Taste {
    return this.kept;
  }

  keepTaste(taste: Partial<Taste>): void {
    this.kept = { ...this.kept, ...taste };
    this.write();
  }

  /** Where this file was left, in seconds. */
  placeOf(file: string): number {
    return this.kept.places.find(([id]) => id === file)?.[1] ?? 0;
  }

  /** Keeps where a file is left that is so long. */
  keepPlace(file: string, seconds: number, length: number): void {
    const others = this.kept.places.filter(([id]) => id !== file);
    const isWorthIt = seconds >= EDGE_SECONDS && !(length - seconds < EDGE_SECONDS);
    const places = isWorthIt ? [...others, [file, Math.round(seconds * 10) / 10] as [string, number]] : others;
    this.kept = { ...this.kept, places: places.slice(-PLACES_MOST) };
    this.write();
  }

  private read(): Kept {
    try {
      const { volume, fastStart, places } = JSON.parse(this.storage?.getItem(KEY) ?? '{}') as Partial<Record<keyof Kept, unknown>>;
      return {
        volume: typeof volume === 'number' && volume >= 0 && volume <= 1 ? volume : USUAL.volume,
        fastStart: fastStart === true,
        places: Array.isArray(places) ? places.filter(isPlace) : [],
      };
    } catch {
      return USUAL;
    }
  }

  private write(): void {
    try {
      this.storage?.setItem(KEY, JSON.stringify(this.kept));
    } catch {
      // Forgotten at the end of the visit then.
    }
  }
}

/** What an older or newer version kept may be anything. */
function isPlace(place: unknown): place is [string, number] {
  return Array.isArray(place) && typeof place[0] === 'string' && typeof place[1] === 'number' && place[1] >= 0;
}
