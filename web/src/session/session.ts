// The one object behind the page, and behind cards: talks, hears everybody else, and says how both go.
// It knows no DOM beyond sockets, peer connections and audio; whoever shows it listens for `change`.

import type { RoomSession } from '../rooms/room-session';
import { chime } from './chime';
import { browserStorage, loadChoices, saveChoices, type Choices, type ChoiceStorage } from './choices';
import { DeviceList } from './devices';
import { Hearer } from './hearer';
import { STREAM_WORDS, type ClientMessage, type ServerMessage } from './protocol';
import { Roster } from './roster';
import { Signalling } from './signalling';
import { onGesture, watchSurroundings } from './surroundings';
import { Talker } from './talker';
import type { ConnectionView, SessionView, StreamView } from './view';

export type { ConnectionView, SessionView, StreamView };

/** Streams heard at once; further ones are listed, but silent. */
export const MAX_HEARD = 16;

/** What the microphone has to be opened anew for. */
export const MICROPHONE_CHOICES = ['microphone', 'echoCancellation', 'noiseSuppression', 'autoGainControl'] as const;

/** A stream that could not be heard is tried again after this. */
const RETRY_MS = 300;

/** A client of the relay. Fires `change` whenever {@link view} has. */
export class VoiceSession extends EventTarget {
  private readonly socketUrl: string;
  private readonly signalling: Signalling<ClientMessage, ServerMessage>;
  private readonly talker: Talker;
  private readonly hearers = new Map<string, Hearer>();
  private readonly roster: Roster;
  private readonly devices: DeviceList;
  /** Streams not to be heard though all others are. */
  private readonly passedOver = new Set<string>();
  private chosen: Choices;
  private streams: string[] = [];
  private listening = false;
  private awaitsFirstSound = false;
  private mp3Port: number | null = null;
  /** Ends what {@link connect} has begun to watch. */
  private watching: AbortController | null = null;
  /** Ends waiting for a tap, while something is blocked. */
  private ignoreGestures: (() => void) | null = null;
  private isPlayedElsewhere = false;
  private visited: RoomSession | null = null;

  /** `base` is where the relay's page lives; everything else is relative to it. Choices are kept in `storage`. */
  constructor(
    readonly base: URL,
    private readonly storage: ChoiceStorage | null = browserStorage(),
  ) {
    super();
    this.chosen = loadChoices(storage);
    this.socketUrl = socketUrl(base);
    const changed = () => {
      this.changed();
    };
    this.signalling = new Signalling(
      this.socketUrl,
      STREAM_WORDS,
      {
        up: () => {
          this.talker.up();
          void this.learnPorts();
          this.changed();
        },
        down: () => {
          this.talker.down();
          // Hearers have sockets of their own; what still is heard goes on.
          this.setStreams(this.streams.filter((id) => this.hearers.has(id)));
        },
        message: (message) => {
          this.take(message);
        },
      },
      true,
    );
    this.talker = new Talker(
      this.signalling,
      () => this.chosen,
      () => {
        this.signalling.urgent = this.talker.state === 'live';
        this.noteMicrophone();
        this.changed();
      },
    );
    this.devices = new DeviceList(() => {
      this.talker.devicesChanged();
      this.changed();
    });
    this.roster = new Roster(base, () => {
      this.applyVolumes();
      changed();
    });
  }

  /** Connects, and stays connected. Listens, if that was chosen on an earlier visit. */
  connect(): void {
    if (this.watching) return;
    this.watching = new AbortController();
    const { signal } = this.watching;
    signal.addEventListener(
      'abort',
      watchSurroundings(() => {
        this.doubt();
      }),
    );
    // Nobody can see the button any more, so nobody can know that the microphone is open.
    window.addEventListener(
      'pagehide',
      () => {
        this.stopTalking();
      },
      { signal },
    );
    this.devices.watch();
    this.signalling.connect();
    if (this.chosen.listen) this.listen();
  }

  /** Gives everything back: the microphone, connections, timers. {@link connect} begins again. */
  close(): void {
    this.watching?.abort();
    this.watching = null;
    this.devices.unwatch();
    this.talker.stop();
    this.signalling.close();
    this.listening = false;
    this.setStreams([]);
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
      devices: this.devices.now,
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

  /** Chooses anew, with effect at once; what is not named stays. Kept for the next visit. */
  choose(choices: Partial<Choices>): void {
    const former = this.chosen;
    this.chosen = { ...former, ...choices };
    saveChoices(this.chosen, this.storage);
    if (MICROPHONE_CHOICES.some((choice) => this.chosen[choice] !== former[choice])) void this.talker.reopen();
    if (this.chosen.loudspeaker !== former.loudspeaker) {
      for (const hearer of this.hearers.values()) void hearer.playOn(this.chosen.loudspeaker);
    }
    this.changed();
  }

  /** A short chime on the chosen loudspeaker; done when it has ended. */
  async testSound(): Promise<void> {
    await chime(this.chosen.loudspeaker);
  }

  /** Opens the microphone and speaks to everybody. */
  async talk(): Promise<void> {
    await this.talker.start();
  }

  /** Stops, and closes the microphone. */
  stopTalking(): void {
    this.talker.stop();
  }

  /** Hears everybody else, now and as they come; on the next visit, too. */
  listen(): void {
    this.choose({ listen: true });
    if (this.listening) return;
    performance.mark('listen');
    this.listening = true;
    this.awaitsFirstSound = this.streams.length > 0;
    this.reconcile();
  }

  /** Hears nobody any more. */
  stopListening(): void {
    this.choose({ listen: false });
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

  /** Somebody else plays what the {@link connections} bring, louder than we can: we are silent meanwhile. */
  set playedElsewhere(elsewhere: boolean) {
    this.isPlayedElsewhere = elsewhere;
    for (const hearer of this.hearers.values()) hearer.playedElsewhere = elsewhere;
  }

  /** The room that the person is in: there they talk and listen, and not here, until they come back. */
  get room(): RoomSession | null {
    return this.visited;
  }

  set room(room: RoomSession | null) {
    this.visited = room;
    if (room) this.stopTalking();
    this.reconcile();
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
    this.talker.take(message);
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
    const others = this.streams.filter((id) => !this.talker.owns(id) && !this.passedOver.has(id));
    const wanted = new Set(this.listening && !this.visited ? others.slice(-MAX_HEARD) : []);
    for (const [id, hearer] of this.hearers) {
      if (wanted.has(id)) continue;
      this.hearers.delete(id);
      hearer.close();
    }
    for (const id of wanted) if (!this.hearers.has(id)) this.hear(id);
    this.awaitGesture();
    this.changed();
  }

  private hear(id: string): void {
    const hearer: Hearer = new Hearer(
      this.socketUrl,
      id,
      this.chosen.loudspeaker,
      {
        changed: () => {
          this.noteFirstSound(hearer);
          this.awaitGesture();
          this.changed();
        },
        over: () => {
          this.lose(id);
        },
        doubt: () => {
          this.signalling.probe();
        },
      },
    );
    hearer.volume = this.volumeOf(id);
    hearer.playedElsewhere = this.isPlayedElsewhere;
    this.hearers.set(id, hearer);
  }

  /** A stream is heard no more, without our will. */
  private lose(id: string): void {
    this.hearers.delete(id);
    this.changed();
    setTimeout(() => {
      // Without the relay, nobody can tell whether there still is such a stream.
      if (this.signalling.isUp) this.reconcile();
      else this.setStreams(this.streams.filter((one) => one !== id));
    }, RETRY_MS);
  }

  /** Something has happened that connections may not have outlived. */
  private doubt(): void {
    this.signalling.probe();
    this.talker.renew();
    for (const hearer of this.hearers.values()) hearer.probe();
  }

  /** While the browser holds sound back, any tap lets it be heard. */
  private awaitGesture(): void {
    const blocked = [...this.hearers.values()].some((hearer) => hearer.state === 'blocked');
    if (blocked) {
      this.ignoreGestures ??= onGesture(() => {
        this.unblock();
      });
    } else {
      this.ignoreGestures?.();
      this.ignoreGestures = null;
    }
  }

  /** Once the microphone was allowed, the browser tells the names of devices. */
  private noteMicrophone(): void {
    const nameless = this.devices.now.microphones.every(({ label }) => !label);
    if (this.talker.isMicrophoneOpen && nameless) void this.devices.look();
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
      own: this.talker.owns(id),
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

  /** Volumes are kept by name, and a name may come after the first sound. */
  private applyVolumes(): void {
    for (const [id, hearer] of this.hearers) hearer.volume = this.volumeOf(id);
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
