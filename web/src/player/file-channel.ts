// One connection that carries files: the offer, the channel, and what is said on it. Which chunks are wanted, and what
// follows a loss, is the feed's business.

import { udpPortOf, type Blockage } from '../session/carriage';

/** What the relay says of a file before its chunks. */
export interface Metadata {
  type: 'metadata';
  file: string;
  totalSize: number;
  totalChunks: number;
  chunkSize: number;
  fromChunk: number;
  mime: string;
  duration: number | null;
  /** null while it is not computed. */
  sha256: string | null;
  version: string;
}

/** What the relay says. */
export type FromRelay =
  | Metadata
  | { type: 'complete'; sha256: string }
  | { type: 'sending' | 'paused'; chunk: number }
  | { type: 'stopped' }
  | { type: 'error'; code: string; message: string };

/** What we say. */
export type ToRelay =
  | { type: 'play' | 'resume'; file: string; fromChunk: number; sha256?: string; version?: string }
  | { type: 'seek'; chunk: number }
  | { type: 'pause' | 'stop' };

/** What the owner of a channel wants to hear. */
export interface ChannelEvents {
  opened(): void;
  said(message: FromRelay): void;
  chunk(bytes: ArrayBuffer): void;
  /**
   * It is of no more use. Said once, and not after {@link FileChannel.close}. `blockage`: the relay has answered, and no
   * packet gets through.
   */
  lost(blockage: Blockage | null): void;
}

/** A channel must be open by then… */
const OPEN_MS = 10_000;

/** …and so long after the relay has described itself: what takes longer does not get through. */
const BLOCKED_MS = 4_000;

export class FileChannel {
  private readonly peer = new RTCPeerConnection({ iceServers: [] });
  private readonly channel = this.peer.createDataChannel('audioStream');
  private patience = setTimeout(() => {
    this.lose();
  }, OPEN_MS);
  private isOver = false;

  constructor(
    private readonly base: URL,
    private readonly events: ChannelEvents,
  ) {
    const { peer, channel } = this;
    channel.binaryType = 'arraybuffer';
    channel.onopen = () => {
      clearTimeout(this.patience);
      if (!this.isOver) events.opened();
    };
    channel.onmessage = ({ data }: MessageEvent<string | ArrayBuffer>) => {
      if (this.isOver) return;
      if (typeof data === 'string') events.said(JSON.parse(data) as FromRelay);
      else events.chunk(data);
    };
    channel.onclose = () => {
      this.lose();
    };
    // A new connection goes on where this one was, so there is nothing to wait for.
    peer.onconnectionstatechange = () => {
      if (['disconnected', 'failed', 'closed'].includes(peer.connectionState)) this.lose();
    };
    void this.offer().catch(() => {
      this.lose();
    });
  }

  say(message: ToRelay): void {
    if (this.channel.readyState === 'open') this.channel.send(JSON.stringify(message));
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.patience);
    this.peer.close();
  }

  private async offer(): Promise<void> {
    await this.peer.setLocalDescription();
    const reply = await fetch(new URL('api/offer', this.base), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ offer: this.peer.localDescription, clientId: 'page', waits: true }),
      signal: AbortSignal.timeout(OPEN_MS),
    });
    if (!reply.ok) throw new Error(await reply.text());
    const { answer } = (await reply.json()) as { answer: RTCSessionDescriptionInit };
    if (this.isOver) return;
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.lose({ port: udpPortOf(answer.sdp ?? '') });
    }, BLOCKED_MS);
    await this.peer.setRemoteDescription(answer);
  }

  private lose(blockage: Blockage | null = null): void {
    if (this.isOver) return;
    this.close();
    this.events.lost(blockage);
  }
}
