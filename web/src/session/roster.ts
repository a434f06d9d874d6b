// Who the streams are, and how many hear each: asked of the relay while anybody looks.

/** What the relay tells of one stream. */
export interface StreamInfo {
  id: string;
  name: string;
  /** WebRTC receivers and MP3 listeners together. */
  listeners: number;
}

/** How often to ask while there are streams. */
const EVERY_MS = 2_000;

/** How soon after a new one: whoever listens has joined it by then, and what is said may be short. */
const SOON_MS = 300;

/** Names and numbers of the live streams. Calls `changed` when there is news. */
export class Roster {
  private readonly known = new Map<string, StreamInfo>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private ids: readonly string[] = [];

  constructor(
    private readonly base: URL,
    private readonly changed: () => void,
  ) {}

  /** What is known of this stream. */
  of(id: string): StreamInfo | undefined {
    return this.known.get(id);
  }

  /** These are the streams now; asks about them at once, and then again and again. */
  follow(ids: readonly string[]): void {
    const news = ids.some((id) => !this.known.has(id));
    this.ids = ids;
    for (const id of this.known.keys()) if (!ids.includes(id)) this.known.delete(id);
    if (news) void this.ask(SOON_MS);
    else if (!ids.length) clearTimeout(this.timer);
  }

  /** Asks now, and then again after this time. */
  private async ask(again = EVERY_MS): Promise<void> {
    clearTimeout(this.timer);
    if (!document.hidden) await this.learn();
    clearTimeout(this.timer);
    if (this.ids.length) {
      this.timer = setTimeout(() => {
        void this.ask();
      }, again);
    }
  }

  private async learn(): Promise<void> {
    try {
      const answer = await fetch(new URL('api/streams', this.base));
      const { streams } = (await answer.json()) as { streams: StreamInfo[] };
      for (const stream of streams) if (this.ids.includes(stream.id)) this.known.set(stream.id, stream);
      this.changed();
    } catch {
      // The next answer will tell; the streams themselves do not depend on it.
    }
  }
}
