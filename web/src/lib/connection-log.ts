// The last minute of every connection of a session, one entry a second.

import type { ConnectionView, HouseSession } from '../house/house-session';
import { measure, sampleOf, type Direction, type Measures, type Sample, type StatsEntry } from './statistics';

/** How many entries are kept: a minute. */
export const WINDOW = 60;

const EVERY_MS = 1_000;

/** One connection and its last minute; the newest entry is the last. */
export interface LoggedConnection extends ConnectionView {
  sample: Sample;
  history: readonly Measures[];
}

/** Looks at a session's connections while somebody wants to know. */
export class ConnectionLog {
  /** Every connection that there was at the last look. */
  connections: readonly LoggedConnection[] = [];
  /** By connection, and by the way the sound goes on it. */
  private readonly known = new Map<RTCPeerConnection, Partial<Record<Direction, { sample: Sample; history: Measures[] }>>>();
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Calls `changed` after every look. */
  constructor(
    private readonly session: HouseSession,
    private readonly changed: () => void,
  ) {}

  /** Begins to look, once a second. */
  start(): void {
    this.timer ??= setInterval(() => void this.look(), EVERY_MS);
    void this.look();
  }

  /** Stops looking. */
  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async look(): Promise<void> {
    const views = this.session.connections;
    for (const peer of this.known.keys()) if (!views.some((view) => view.peer === peer)) this.known.delete(peer);
    this.connections = await Promise.all(views.map((view) => this.lookAt(view)));
    this.changed();
  }

  private async lookAt(view: ConnectionView): Promise<LoggedConnection> {
    const report = await view.peer.getStats();
    const sample = sampleOf([...report.values()] as StatsEntry[], view.role, performance.now());
    const before = this.known.get(view.peer)?.[view.role];
    const history = [...(before?.history ?? []), measure(before?.sample ?? null, sample)].slice(-WINDOW);
    this.known.set(view.peer, { ...this.known.get(view.peer), [view.role]: { sample, history } });
    return { ...view, sample, history };
  }
}
