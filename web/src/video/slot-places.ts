// Who is seen in which slot. A picture stays where it is for as long as it is wanted: to move it would cost a keyframe.

/** Slots, and the keys of what is in them. */
export class SlotPlaces {
  private places = new Map<string, string>();

  constructor(private slots: readonly string[] = []) {}

  /** Other slots from now on: nothing is in them. */
  reset(slots: readonly string[]): void {
    this.slots = slots;
    this.places = new Map();
  }

  /** Gives each of these a slot, the first before the others; those for which there is none get none. */
  place(keys: readonly string[]): ReadonlyMap<string, string> {
    const wanted = new Set(keys.slice(0, this.slots.length));
    const kept = new Map([...this.places].filter(([key]) => wanted.has(key)));
    const free = this.slots.filter((slot) => ![...kept.values()].includes(slot));
    for (const key of wanted) {
      const slot = kept.has(key) ? undefined : free.shift();
      if (slot !== undefined) kept.set(key, slot);
    }
    this.places = kept;
    return kept;
  }
}
