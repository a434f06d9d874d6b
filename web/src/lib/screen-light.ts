// Keeps the screen on while it is wanted: a screen that goes dark takes the microphone with it.

/** Absent on insecure pages and in older browsers, whatever the types say. */
const locks = (navigator as { wakeLock?: Navigator['wakeLock'] }).wakeLock;

/** One wish for a lit screen. Browsers take the lock away with the page's visibility; this asks again. */
export class ScreenLight {
  private wanted = false;
  private lock: Promise<WakeLockSentinel | null> | null = null;

  constructor() {
    document.addEventListener('visibilitychange', () => {
      if (!document.hidden) this.settle();
    });
  }

  /** Whether the screen should stay on from now on. */
  set isWanted(wanted: boolean) {
    if (wanted === this.wanted) return;
    this.wanted = wanted;
    this.settle();
  }

  private settle(): void {
    const before = this.lock;
    this.lock = this.wanted ? renewed(before) : null;
    if (!this.wanted) void before?.then((lock) => lock?.release());
  }
}

/** The lock that there is, or another when the browser has taken it away. */
async function renewed(before: Promise<WakeLockSentinel | null> | null): Promise<WakeLockSentinel | null> {
  const lock = await before;
  if (lock && !lock.released) return lock;
  try {
    return (await locks?.request('screen')) ?? null;
  } catch {
    // A hidden page, or a battery that is low.
    return null;
  }
}
