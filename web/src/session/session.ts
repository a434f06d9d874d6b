// The one object behind the page, and behind cards: talks, hears everybody else, and says how both go.
// It knows no DOM beyond sockets, peer connections and audio; whoever shows it listens for `change`.

import { loadChoices, saveChoices, type Choices } from './choices';
import { Hearer, type HearState } from './hearer';
import type { Problem } from './problem';
import type { ServerMessage } from './protocol';
import { Roster } from './roster';
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
  /** How the speaker is called; empty until the relay has told. */
  name: string;
  /** How many hear it, by WebRTC and by MP3; null until the relay has told. */
  listeners: number | null;
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
  /** Why talking did not begin, or ended by itself. */
  problem: Problem | null;
  /** By the microphone's own account. */
  microphone: 'off' | 'live';
  /** The microphone is open, and silence is sent. */
  muted: boolean;
  listening: boolean;
  streams: StreamView[];
  /** Port of the MP3 streams, once known. */
  mp3Port: number | null;
}

/** One peer connection, for statistics. */
export interface ConnectionView {
  role: 'talk' | 'hear';
  streamId: string;
  peer: RTCPeerConnection;
}

/** A client of the relay. Fires `change` whenever {@link view} has. */
export class VoiceSession extends EventTarget {
  private readonly socketUrl: string;
  private readonly signalling: Signalling;
  private readonly talker: Talker;
  private readonly hearers = new Map<string, Hearer>();
  private readonly roster: Roster;
  /** Streams not to be heard though all others are. */
  private readonly passedOver = new Set<string>();
  private chosen = loadChoices();
  private streams: string[] = [];
  private listening = false;
  private awaitsFirstSound = false;
  private mp3Port: number | null = null;

  /** `base` is where the relay's page lives; everything else is relative to it. */
  constructor(readonly base: URL) {
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
    this.talker = new Talker(
      (message) => {
        this.signalling.send(message);
      },
      () => this.chosen,
      changed,
    );
    this.roster = new Roster(base, changed);
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
      problem: this.talker.problem,
      microphone: this.talker.isMicrophoneOpen ? 'live' : 'off',
      muted: this.talker.muted,
      listening: this.listening,
      streams: this.streams.map((id) => this.viewOf(id)),
      mp3Port: this.mp3Port,
    };
  }

  /** The open microphone, for a level meter. */
  get microphoneTrack(): MediaStreamTrack | null {
    return this.talker.track;
  }

  /** What the person has chosen on this device. */
  get choices(): Choices {
    return this.chosen;
  }

  /** Every connection there is now. */
  get connections(): ConnectionView[] {
    const own: ConnectionView[] =
      this.talker.peer && this.talker.streamId
        ? [{ role: 'talk', streamId: this.talker.streamId, peer: this.talker.peer }]
        : [];
    return [
      ...own,
      ...[...this.hearers].map(([streamId, { peer }]): ConnectionView => ({ role: 'hear', streamId, peer })),
    ];
  }

  /** Chooses anew; what is not named stays. Kept for the next visit. */
  choose(choices: Partial<Choices>): void {
    this.chosen = { ...this.chosen, ...choices };
    saveChoices(this.chosen);
    this.changed();
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

  /** Hears, or passes over, one stream while listening. */
  setHeard(id: string, heard: boolean): void {
    if (heard) this.passedOver.delete(id);
    else this.passedOver.add(id);
    this.reconcile();
  }

  /** Sends silence, or the voice again, without closing the microphone. */
  setMuted(muted: boolean): void {
    this.talker.muted = muted;
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    for (const hearer of this.hearers.values()) void hearer.unblock();
  }

  /** Volume of one stream, from 0 to 1; kept under its speaker's name. */
  setVolume(id: string, volume: number): void {
    const hearer = this.hearers.get(id);
    if (hearer) hearer.volume = volume;
    this.choose({ volumes: { ...this.chosen.volumes, [this.nameOf(id)]: volume } });
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
    for (const id of this.passedOver) if (!streams.includes(id)) this.passedOver.delete(id);
    this.roster.follow(streams);
    this.reconcile();
  }

  /** Makes what is heard what should be heard. */
  private reconcile(): void {
    const others = this.streams.filter((id) => id !== this.talker.streamId && !this.passedOver.has(id));
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
    hearer.volume = this.volumeOf(id);
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
      name: this.roster.of(id)?.name ?? '',
      listeners: this.roster.of(id)?.listeners ?? null,
      state: hearer?.state ?? 'off',
      level: hearer?.level ?? -127,
      volume: this.volumeOf(id),
    };
  }

  private nameOf(id: string): string {
    return this.roster.of(id)?.name ?? id;
  }

  private volumeOf(id: string): number {
    return this.chosen.volumes[this.nameOf(id)] ?? 1;
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
