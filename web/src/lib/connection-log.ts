// The last minute of every connection of a session, one entry a second.

import type { ConnectionView, VoiceSession } from '../session/session';
import { measure, sampleOf, type Measures, type Sample, type StatsEntry } from './statistics';

/** How many entries are kept: a minute. */
export const WINDOW = 60;

const EVERY_MS = 1_000;

/** Within this time the next try to connect follows the last; later, it is another wish. */
const BETWEEN_TRIES_MS = 3_000;

/** One connection and its last minute; the newest entry is the last. */
export interface LoggedConnection extends ConnectionView {
  sample: Sample;
  history: readonly Measures[];
  /** Milliseconds that this sound has been without a connection, however often one was tried; 0 when it has one. */
  waited: number;
}

/** Looks at a session's connections while somebody wants to know. */
export class ConnectionLog {
  /** Every connection that there was at the last look. */
  connections: readonly LoggedConnection[] = [];
  private readonly known = new Map<RTCPeerConnection, { sample: Sample; history: Measures[] }>();
  private readonly waiting = new Map<string, { since: number; seen: number }>();
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Calls `changed` after every look. */
  constructor(
    private readonly session: VoiceSession,
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
    const now = performance.now();
    const sample = sampleOf([...report.values()] as StatsEntry[], view.role, now);
    const before = this.known.get(view.peer);
    const history = [...(before?.history ?? []), measure(before?.sample ?? null, sample)].slice(-WINDOW);
    this.known.set(view.peer, { sample, history });
    return { ...view, sample, history, waited: this.waited(view, now) };
  }

  private waited({ role, streamId, peer }: ConnectionView, now: number): number {
    // Whoever tries again to talk does so under a new id.
    const sound = role === 'talk' ? role : streamId;
    if (peer.iceConnectionState === 'connected' || peer.iceConnectionState === 'completed') {
      this.waiting.delete(sound);
      return 0;
    }
    const before = this.waiting.get(sound);
    const since = before && now - before.seen < BETWEEN_TRIES_MS ? before.since : now;
    this.waiting.set(sound, { since, seen: now });
    return now - since;
  }
}
