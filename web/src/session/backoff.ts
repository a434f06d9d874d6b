// How long to wait before the next try to connect: soon at first, never longer than a second while
// somebody looks at the page, and never quite the same for all the tablets of a house.

const FIRST_MS = 100;
const LONGEST_MS = 800;
const LONGEST_HIDDEN_MS = 5_000;

/** Milliseconds before try number `attempt`, counted from 0; `random` is from 0 to 1. */
export function backoff(attempt: number, hidden: boolean, random: number): number {
  const longest = hidden ? LONGEST_HIDDEN_MS : LONGEST_MS;
  const full = Math.min(FIRST_MS * 2 ** Math.min(attempt, 10), longest);
  return full * (0.5 + random / 2);
}
