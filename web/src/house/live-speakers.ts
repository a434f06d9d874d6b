// Media players that play a room live while we talk in it: from the press until what was said has been heard there. It knows
// no DOM; its owner is told when something is different.

import { isTalking } from '../rooms/room-voice';
import type { Choices } from '../session/choices';
import { announce, follow, stopAnnouncing, type Announcement } from './announcing';
import type { HouseView } from './house-view';

/** How it ended is shown for so long. */
const SHOWN_MS = 4_000;

/** What is needed of the relay. */
export interface LiveRelay {
  begin(room: string, players: readonly string[]): Promise<Announcement>;
  follow(announcement: Announcement, changed: (now: Announcement) => void): Promise<void>;
  stop(announcement: Announcement): Promise<void>;
}

/** The relay at this address. */
export function liveRelay(base: URL): LiveRelay {
  const forever = new AbortController().signal;
  return {
    begin: (room, players) => announce(base, players, { live: room }, { chime: '', name: '' }),
    follow: (announcement, changed) => follow(base, announcement, forever, changed),
    stop: (announcement) => stopAnnouncing(base, announcement),
  };
}

/** One talk that is live on players. */
class LiveTalk {
  announcement: Announcement | null = null;
  private isOver = false;

  constructor(
    readonly room: string,
    private readonly relay: LiveRelay,
  ) {}

  async run(players: readonly string[], changed: () => void): Promise<void> {
    this.announcement = await this.relay.begin(this.room, players);
    changed();
    // Whoever let go by then is heard to their end all the same.
    if (this.isOver) await this.relay.stop(this.announcement);
    await this.relay.follow(this.announcement, (now) => {
      this.announcement = now;
      changed();
    });
  }

  async end(): Promise<void> {
    this.isOver = true;
    if (this.announcement) await this.relay.stop(this.announcement);
  }
}

/** The players, as our talking has them play. */
export class LiveSpeakers {
  /** How it goes, in all rooms of which that is worth showing. */
  shown: readonly Announcement[] = [];

  private talk: LiveTalk | null = null;
  private readonly known = new Set<LiveTalk>();

  constructor(
    private readonly relay: LiveRelay,
    private readonly changed: () => void,
  ) {}

  /** What the house is like now. */
  follow({ talk, talkingIn }: Pick<HouseView, 'talk' | 'talkingIn'>, { liveOn }: Pick<Choices, 'liveOn'>): void {
    const room = isTalking(talk) && talkingIn ? talkingIn.id : null;
    if (this.talk?.room === room) return;
    void this.talk?.end();
    this.talk = null;
    const players = room === null ? [] : (liveOn[room] ?? []);
    if (room !== null && players.length) void this.begin(new LiveTalk(room, this.relay), players);
  }

  private async begin(talk: LiveTalk, players: readonly string[]): Promise<void> {
    this.talk = talk;
    this.known.add(talk);
    await talk.run(players, () => {
      this.show();
    });
    await new Promise((resolve) => setTimeout(resolve, SHOWN_MS));
    this.known.delete(talk);
    this.show();
  }

  private show(): void {
    this.shown = [...this.known].flatMap(({ announcement }) => (announcement ? [announcement] : []));
    this.changed();
  }
}
