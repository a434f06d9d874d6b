// What a press of the talk button means, by finger, mouse or key: a hold talks while it lasts, a short tap
// talks until the next one.

/** A press shorter than this is a tap. */
export const TAP_MS = 350;

/** What the button presses for. */
export interface PressActions {
  isTalking(): boolean;
  start(): void;
  stop(): void;
}

/** One button's presses, one at a time. Times are the events' own: a busy page must not take a tap for a hold. */
export class Press {
  private since: number | null = null;

  constructor(private readonly actions: PressActions) {}

  /** Whether the button is down since it began to talk. */
  get isHeld(): boolean {
    return this.since !== null;
  }

  /** The button goes down: begins, or ends what an earlier tap began. */
  down(at: number): void {
    if (this.isHeld) return;
    if (this.actions.isTalking()) {
      this.actions.stop();
      return;
    }
    this.since = at;
    this.actions.start();
  }

  /** The button comes up: the end of a hold, or of a tap, after which the talking goes on. */
  up(at: number): void {
    if (this.since === null) return;
    const isHold = at - this.since >= TAP_MS;
    this.since = null;
    if (isHold) this.end();
  }

  /** The press is taken away, by the system or by another window: nobody holds the button any more. */
  cancel(): void {
    if (!this.isHeld) return;
    this.since = null;
    this.end();
  }

  /** A press that has no length, as a screen reader or the Enter key makes it. */
  toggle(): void {
    if (this.actions.isTalking()) this.actions.stop();
    else this.actions.start();
  }

  /** Whoever failed to talk is told why; stopping would take the words away. */
  private end(): void {
    if (this.actions.isTalking()) this.actions.stop();
  }
}
