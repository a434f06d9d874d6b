// Whether sound gets through. A media connection that does not carry for a while, though the relay has answered, is blocked
// on its way: a firewall, a guest Wi-Fi or a VPN lets no UDP pass. Browsers only say "connecting".

/** Nobody is told before: a slow network may take seconds. */
export const BLOCKED_MS = 8_000;

/** That no sound gets through. */
export interface Blockage {
  /** UDP port of the relay that cannot be reached, where the relay has named it. */
  port: number | null;
}

/** The UDP port that a description of the relay names; null where it names none. */
export function udpPortOf(sdp: string): number | null {
  const port = /^a=candidate:\S+ 1 udp \d+ \S+ (\d+)/im.exec(sdp)?.[1];
  return port === undefined ? null : Number(port);
}

/** Watches attempts to make a media connection, from the first one to the one that carries. */
export class Carriage {
  /** What stands in the way; null while nothing is known to. */
  blockage: Blockage | null = null;

  private port: number | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;

  /** `carries`: whether any connection does now. */
  constructor(
    private readonly carries: () => boolean,
    private readonly changed: () => void,
  ) {}

  /**
   * The relay has described itself, so that a connection is tried: what it refuses is not blocked. Further attempts have
   * the time that is left of the first.
   */
  tries(sdp: string): void {
    this.port = udpPortOf(sdp) ?? this.port;
    this.patience ??= setTimeout(() => {
      // An attempt may also have ended because nobody talks there any more, while others are heard.
      if (this.carries()) {
        this.ends();
        return;
      }
      this.blockage = { port: this.port };
      this.changed();
    }, BLOCKED_MS);
  }

  /** It carries, or nobody tries any more. */
  ends(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
    if (!this.blockage) return;
    this.blockage = null;
    this.changed();
  }
}
