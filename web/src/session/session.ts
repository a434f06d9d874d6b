// The one object behind the page, and behind cards: talks, hears everybody else, and says how both go.
// It knows no DOM beyond sockets, peer connections and audio; whoever shows it listens for `change`.

import { Hearer, type HearState } from './hearer';
import type { ServerMessage } from './protocol';
import { Signalling } from './signalling';
import { Talker, type TalkState } from './talker';

/** Streams heard at once; further ones are listed, but silent. */
export const MAX_HEARD = 16;

/** A stream that could not be heard is tried again after this. */
const RETRY_MS = 300;

/** One stream as a person sees it. */
export interface StreamView {
  id: string;
  own: boolean;
  /** `off`: not listened to. */
  state: HearState | 'off';
  /** dBov: -127 is silence, 0 the loudest. */
  level: number;
  volume: number;
}

/** Everything there is to show, at one moment. */
export interface SessionView {
  connected: boolean;
  talk: TalkState;
  talkReason: string;
  /** By the microphone's own account. */
  microphone: 'off' | 'live';
  listening: boolean;
  streams: StreamView[];
  /** Port of the MP3 streams, once known. */
  mp3Port: number | null;
}

/** A client of the relay. Fires `change` whenever {@link view} has. */
export class VoiceSession extends EventTarget {
  private readonly socketUrl: string;
  private readonly signalling: Signalling;
  private readonly talker: Talker;
  private readonly hearers = new Map<string, Hearer>();
  private readonly volumes = new Map<string, number>();
  private streams: string[] = [];
  private listening = false;
  private awaitsFirstSound = false;
  private mp3Port: number | null = null;

  /** `base` is where the relay's page lives; everything else is relative to it. */
  constructor(private readonly base: URL) {
    super();
    this.socketUrl = socketUrl(base);
    const changed = () => {
      this.changed();
    };
    this.signalling = new Signalling(
      this.socketUrl,
      {
        up: () => {
          this.talker.up();
          void this.learnPorts();
          this.changed();
        },
        down: () => {
          this.talker.down();
          this.setStreams([]);
        },
        message: (message) => {
          this.take(message);
        },
      },
      true,
    );
    this.talker = new Talker((message) => {
      this.signalling.send(message);
    }, changed);
  }

  /** Connects, and stays connected. */
  connect(): void {
    this.signalling.connect();
    const probe = () => {
      if (!document.hidden) this.signalling.probe();
    };
    window.addEventListener('online', probe);
    document.addEventListener('visibilitychange', probe);
    // Nobody can see the button any more, so nobody can know that the microphone is open.
    window.addEventListener('pagehide', () => {
      this.stopTalking();
    });
    window.addEventListener('pageshow', probe);
  }

  /** Everything there is to show. */
  get view(): SessionView {
    return {
      connected: this.signalling.isUp,
      talk: this.talker.state,
      talkReason: this.talker.reason,
      microphone: this.talker.isMicrophoneOpen ? 'live' : 'off',
      listening: this.listening,
      streams: this.streams.map((id) => this.viewOf(id)),
      mp3Port: this.mp3Port,
    };
  }

  /** The open microphone, for a level meter. */
  get microphoneTrack(): MediaStreamTrack | null {
    return this.talker.track;
  }

  /** Opens the microphone and speaks to everybody. */
  async talk(): Promise<void> {
    await this.talker.start(this.signalling.isUp);
  }

  /** Stops, and closes the microphone. */
  stopTalking(): void {
    this.talker.stop();
  }

  /** Hears everybody else, now and as they come. */
  listen(): void {
    if (this.listening) return;
    performance.mark('listen');
    this.listening = true;
    this.awaitsFirstSound = this.streams.length > 0;
    this.reconcile();
  }

  /** Hears nobody any more. */
  stopListening(): void {
    this.listening = false;
    this.reconcile();
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    for (const hearer of this.hearers.values()) void hearer.unblock();
  }

  /** Volume of one stream, from 0 to 1. */
  setVolume(id: string, volume: number): void {
    this.volumes.set(id, volume);
    const hearer = this.hearers.get(id);
    if (hearer) hearer.volume = volume;
    this.changed();
  }

  private take(message: ServerMessage): void {
    void this.talker.take(message);
    if (message.type === 'available_streams') this.setStreams(message.streams);
    else if (message.type === 'stream_available') this.addStream(message.stream_id);
    else if (message.type === 'stream_ended') this.setStreams(this.streams.filter((id) => id !== message.stream_id));
  }

  private addStream(id: string): void {
    if (!this.streams.includes(id)) this.setStreams([...this.streams, id]);
  }

  private setStreams(streams: string[]): void {
    this.streams = streams;
    for (const id of this.volumes.keys()) if (!streams.includes(id)) this.volumes.delete(id);
    this.reconcile();
  }

  /** Makes what is heard what should be heard. */
  private reconcile(): void {
    const others = this.streams.filter((id) => id !== this.talker.streamId);
    const wanted = new Set(this.listening ? others.slice(-MAX_HEARD) : []);
    for (const [id, hearer] of this.hearers) {
      if (wanted.has(id)) continue;
      this.hearers.delete(id);
      hearer.close();
    }
    for (const id of wanted) if (!this.hearers.has(id)) this.hear(id);
    this.changed();
  }

  private hear(id: string): void {
    const hearer: Hearer = new Hearer(
      this.socketUrl,
      id,
      () => {
        this.noteFirstSound(hearer);
        this.changed();
      },
      () => {
        this.hearers.delete(id);
        this.changed();
        setTimeout(() => {
          this.reconcile();
        }, RETRY_MS);
      },
    );
    hearer.volume = this.volumes.get(id) ?? 1;
    this.hearers.set(id, hearer);
  }

  private noteFirstSound(hearer: Hearer): void {
    if (!this.awaitsFirstSound || hearer.state !== 'playing') return;
    this.awaitsFirstSound = false;
    performance.measure('listen-to-playing', 'listen');
  }

  private viewOf(id: string): StreamView {
    const hearer = this.hearers.get(id);
    return {
      id,
      own: id === this.talker.streamId,
      state: hearer?.state ?? 'off',
      level: hearer?.level ?? -127,
      volume: this.volumes.get(id) ?? 1,
    };
  }

  private async learnPorts(): Promise<void> {
    try {
      const health = (await (await fetch(new URL('health', this.base))).json()) as { mp3_port?: number };
      this.mp3Port = health.mp3_port ?? null;
      this.changed();
    } catch {
      // The link to the MP3 port is not shown then; everything else works.
    }
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}

/** The WebSocket next to the page, also below a path of somebody else's. */
export function socketUrl(base: URL): string {
  const url = new URL('ws', base);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return url.href;
}
