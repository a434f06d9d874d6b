// What happens around the page: the network changes, the person comes back to the tab, the device wakes
// up. After each, what worked before may be dead without any sign of it.

/** A timer that comes later than this was not late: the device slept. */
const SLEPT_MS = 6_000;
const TICK_MS = 2_000;

/** Several events tell of the same change. */
const TOGETHER_MS = 50;

/** Calls `changed` after everything that may have cost connections; gives the means to end that. */
export function watchSurroundings(changed: () => void): () => void {
  const ending = new AbortController();
  const { signal } = ending;
  let soon: ReturnType<typeof setTimeout> | undefined;
  const note = () => {
    clearTimeout(soon);
    soon = setTimeout(changed, TOGETHER_MS);
  };
  const seen = () => {
    if (!document.hidden) note();
  };
  window.addEventListener('online', note, { signal });
  const shown = (event: PageTransitionEvent) => {
    // Back from where the browser had put the page aside; not when it has just been loaded.
    if (event.persisted) note();
  };
  window.addEventListener('pageshow', shown, { signal });
  document.addEventListener('visibilitychange', seen, { signal });
  document.addEventListener('resume', note, { signal });
  // Only Chromium tells of a change from one network to another.
  (navigator as { connection?: EventTarget }).connection?.addEventListener('change', note, { signal });

  let last = Date.now();
  const clock = setInterval(() => {
    const gap = Date.now() - last;
    last = Date.now();
    // Hidden tabs have their timers slowed down.
    if (gap > SLEPT_MS) seen();
  }, TICK_MS);
  return () => {
    clearTimeout(soon);
    clearInterval(clock);
    ending.abort();
  };
}

/** Calls `act` at every tap or key that browsers take for a person's wish to hear; gives the means to end that. */
export function onGesture(act: () => void): () => void {
  const ending = new AbortController();
  // With a finger, only lifting it counts; and before anybody else can stop the event.
  for (const event of ['pointerdown', 'pointerup', 'touchend', 'keydown']) {
    window.addEventListener(event, act, { signal: ending.signal, capture: true });
  }
  return () => {
    ending.abort();
  };
}
