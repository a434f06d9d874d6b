// What is played next. Pure, so that it can be tested without sound.

/** What comes after the last one: nothing, the same once more after each, or all again. */
export type Repeat = 'none' | 'one' | 'all';

/** More cannot wait. */
export const QUEUE_MOST = 500;

export class PlayQueue<Item> {
  shuffle = false;
  repeat: Repeat = 'none';

  private waiting: Item[] = [];
  private played: Item[] = [];

  constructor(private readonly random: () => number = Math.random) {}

  /** Those that wait, in the order in which they were put there. */
  get coming(): readonly Item[] {
    return this.waiting;
  }

  /** Puts it at the end. False: there is no more room. */
  add(item: Item): boolean {
    if (this.waiting.length >= QUEUE_MOST) return false;
    this.waiting = [...this.waiting, item];
    return true;
  }

  /** Takes the one at this place out. */
  remove(index: number): void {
    this.waiting = this.waiting.filter((_, place) => place !== index);
  }

  /** Moves the one at this place earlier or later. */
  move(index: number, by: -1 | 1): void {
    const [one, other] = [this.waiting[index], this.waiting[index + by]];
    if (one === undefined || other === undefined) return;
    this.waiting = this.waiting.map((item, place) => (place === index ? other : place === index + by ? one : item));
  }

  /** Begins anew with these. */
  fill(items: readonly Item[]): void {
    this.waiting = items.slice(0, QUEUE_MOST);
    this.played = [];
  }

  /** The one to be played after `current`; null: there is none. */
  next(current: Item | null): Item | null {
    if (current !== null) this.played = [...this.played, current].slice(-QUEUE_MOST);
    if (!this.waiting.length && this.repeat === 'all') [this.waiting, this.played] = [this.played, []];
    const place = this.shuffle ? Math.floor(this.random() * this.waiting.length) : 0;
    const item = this.waiting[place] ?? null;
    this.remove(place);
    return item;
  }

  /** The one that was played before `current`, which then comes next; null: there was none. */
  previous(current: Item | null): Item | null {
    const item = this.played.at(-1) ?? null;
    if (item === null) return null;
    this.played = this.played.slice(0, -1);
    if (current !== null) this.waiting = [current, ...this.waiting].slice(0, QUEUE_MOST);
    return item;
  }
}
