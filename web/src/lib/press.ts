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

/** A click so soon after a finger or a mouse has let go belongs to that press. */
const SAME_PRESS_MS = 500;

/** Presses of a button on the page: by finger or mouse, and by whatever only clicks, as the Enter key and screen readers do. */
export class ButtonPress extends Press {
  private releasedAt = -Infinity;

  readonly pointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || !event.isPrimary) return;
    // The press goes on when the finger slides off the button.
    (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
    this.down(event.timeStamp);
  };

  readonly pointerUp = (event: PointerEvent): void => {
    if (event.button !== 0) return;
    this.releasedAt = event.timeStamp;
    this.up(event.timeStamp);
  };

  readonly clicked = (event: Event): void => {
    if (event.timeStamp - this.releasedAt > SAME_PRESS_MS) this.toggle();
  };
}

/** A press that lasts so long is a hold. */
const HOLD_MS = 350;

/** A finger that moves so far scrolls. */
const SLIP_PX = 10;

/** What a tile does when it is pressed. */
export interface TileActions {
  tap(): void;
  /** A finger stays on it. */
  hold(): void;
  /** That finger has gone. */
  release(): void;
}

/** Presses of a tile: a tap, or a hold for as long as it lasts. */
export class TilePress {
  private holding: ReturnType<typeof setTimeout> | undefined;
  private isHeld = false;
  private heldAt = -Infinity;
  private from: [x: number, y: number] = [0, 0];

  constructor(private readonly actions: TileActions) {}

  readonly pointerDown = (event: PointerEvent): void => {
    if (event.button !== 0 || !event.isPrimary) return;
    this.from = [event.clientX, event.clientY];
    const { currentTarget, pointerId } = event;
    this.holding = setTimeout(() => {
      this.isHeld = true;
      // It goes on when the finger slides off the tile.
      (currentTarget as HTMLElement | null)?.setPointerCapture(pointerId);
      this.actions.hold();
    }, HOLD_MS);
  };

  readonly pointerMove = ({ clientX, clientY }: PointerEvent): void => {
    if (!this.isHeld && Math.hypot(clientX - this.from[0], clientY - this.from[1]) > SLIP_PX) this.letGo();
  };

  /** The finger goes, or is taken away. */
  readonly letGo = (): void => {
    clearTimeout(this.holding);
    if (!this.isHeld) return;
    this.isHeld = false;
    this.heldAt = performance.now();
    this.actions.release();
  };

  /** Every tap, by finger, key or screen reader, is a click; so is the end of a hold, which is none. */
  readonly clicked = (event: Event): void => {
    if (event.timeStamp - this.heldAt > SAME_PRESS_MS) this.actions.tap();
  };

  /** A long press means to hold, not a menu. */
  readonly menu = (event: Event): void => {
    event.preventDefault();
  };
}
