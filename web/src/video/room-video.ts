// The video of one room, as one person shows and sees it. It knows no DOM beyond peer connections and media; whoever shows it
// listens for `change`, and says which tiles are seen, how large, and which of them is wanted most.

import type { Participant, RoomMessage, Tile, View, VideoKind, VideoState } from '../rooms/room-protocol';
import type { RoomSession } from '../rooms/room-session';
import type { Problem } from '../session/problem';
import { CameraError, openCamera, openScreen, type Facing } from './camera';
import { SlotPlaces } from './slot-places';
import { VideoConnection } from './video-connection';

/** A connection that is lost is followed by another after this. */
const RETRY_MS = 250;

/** What is seen is said to the relay at most so often. */
const SAY_MS = 200;

/** One picture in the room. */
export interface Picture {
  key: string;
  who: string;
  name: string;
  user?: string;
  kind: VideoKind;
  you: boolean;
  talking: boolean;
  /** None: there is no picture now, and `state` says why. */
  stream: MediaStream | null;
  state: VideoState;
}

/** A tile that shows a picture, as it is on the screen. */
export interface SeenTile {
  key: string;
  /** Lines, in pixels of the device; 0: it is hidden. */
  height: number;
}

/** Everything there is to show of our own side. */
export interface VideoView {
  camera: 'off' | 'opening' | 'live';
  screen: 'off' | 'opening' | 'live';
  facing: Facing;
  /** Why a camera or screen was not opened, or was lost. */
  problem: { kind: VideoKind; problem: Problem } | null;
  pictures: Picture[];
}

/** Key of what somebody shows. */
const keyOf = (who: string, kind: VideoKind): string => `${who}/${kind}`;

/** The video of one visit to a room. Fires `change` whenever {@link view} has. */
export class RoomVideo extends EventTarget {
  private connection: VideoConnection | null = null;
  private readonly own: Record<VideoKind, MediaStreamTrack | null> = { camera: null, screen: null };
  private readonly opening = new Set<VideoKind>();
  private readonly wanted: Record<VideoKind, number> = { camera: Infinity, screen: Infinity };
  private readonly places = new SlotPlaces();
  private readonly streams = new Map<string, MediaStream>();
  private seen: readonly SeenTile[] = [];
  private views: readonly View[] = [];
  private said = '[]';
  private saidAt = -Infinity;
  private saying: ReturnType<typeof setTimeout> | undefined;
  private facing: Facing = 'user';
  private problem: VideoView['problem'] = null;
  private readonly watching = new AbortController();

  constructor(private readonly room: RoomSession) {
    super();
    const { signal } = this.watching;
    room.addEventListener('told', (event) => void this.told((event as CustomEvent<RoomMessage>).detail), { signal });
    room.addEventListener('change', () => { this.follow(); }, { signal });
    document.addEventListener('visibilitychange', () => { this.sayLater(); }, { signal });
    // Nobody can see the button any more, so nobody can know that the camera is open.
    window.addEventListener('pagehide', () => { this.stopAll(); }, { signal });
    this.follow();
  }

  /** Ends it, and closes camera and screen. */
  close(): void {
    this.watching.abort();
    clearTimeout(this.saying);
    this.stopAll();
    this.connection?.close();
    this.connection = null;
  }

  get view(): VideoView {
    return {
      camera: this.stateOf('camera'),
      screen: this.stateOf('screen'),
      facing: this.facing,
      problem: this.problem,
      pictures: this.room.view.people.flatMap((person) => this.picturesOf(person, person.you)),
    };
  }

  /** The connection, for statistics and tests. */
  get peer(): RTCPeerConnection | null {
    return this.connection?.peer ?? null;
  }

  /** Opens the camera, and shows it. */
  async showCamera(): Promise<void> {
    await this.open('camera', () => openCamera(this.facing));
  }

  /** Asks for a screen, window or tab, and shows it. */
  async showScreen(): Promise<void> {
    await this.open('screen', openScreen);
  }

  /** Shows it no longer; the camera goes off. */
  stop(kind: VideoKind): void {
    this.own[kind]?.stop();
    if (!this.own[kind]) return;
    this.own[kind] = null;
    void this.connection?.show(kind, null);
    this.room.say({ type: 'show', kind, on: false });
    this.changed();
  }

  /** Turns to the camera on the other side. */
  async turn(): Promise<void> {
    this.facing = this.facing === 'user' ? 'environment' : 'user';
    if (!this.own.camera) return;
    // Most phones open one camera at a time.
    this.own.camera.stop();
    this.own.camera = null;
    await this.showCamera();
  }

  /** These tiles are on the screen now, the most wanted first. */
  see(tiles: readonly SeenTile[]): void {
    this.seen = tiles;
    this.sayLater();
  }

  private stateOf(kind: VideoKind): 'off' | 'opening' | 'live' {
    if (this.own[kind]) return 'live';
    return this.opening.has(kind) ? 'opening' : 'off';
  }

  private picturesOf(person: Participant, you: boolean): Picture[] {
    const kinds: VideoKind[] = ['screen', 'camera'];
    return kinds.filter((kind) => (you ? this.own[kind] : person[kind])).map((kind) => this.pictureOf(person, kind, you));
  }

  private pictureOf({ id, name, user, talking }: Participant, kind: VideoKind, you: boolean): Picture {
    const shared = { key: keyOf(id, kind), who: id, name, ...(user ? { user } : {}), kind, you, talking };
    if (you) return { ...shared, stream: this.ownStream(kind), state: 'playing' };
    const view = this.views.find((one) => one.who === id && one.kind === kind);
    const state = view?.state ?? 'waiting';
    return { ...shared, stream: view && state === 'playing' ? (this.streams.get(view.slot) ?? null) : null, state };
  }

  private ownStream(kind: VideoKind): MediaStream | null {
    const track = this.own[kind];
    const known = this.streams.get(kind);
    if (!track) return null;
    if (known?.getVideoTracks()[0] === track) return known;
    const stream = new MediaStream([track]);
    this.streams.set(kind, stream);
    return stream;
  }

  private async open(kind: VideoKind, open: () => Promise<MediaStreamTrack>): Promise<void> {
    if (this.opening.has(kind) || this.own[kind]) return;
    this.opening.add(kind);
    this.problem = null;
    this.changed();
    try {
      const track = await open();
      this.opening.delete(kind);
      // The page was left meanwhile.
      if (this.watching.signal.aborted) { track.stop(); return; }
      this.begin(kind, track);
    } catch (error) {
      this.opening.delete(kind);
      if (!(error instanceof CameraError)) throw error;
      // Whoever closes the browser's own question about the screen has not chosen one, and that is all.
      if (kind === 'camera' || error.problem.code !== 'denied') this.problem = { kind, problem: error.problem };
    }
    this.changed();
  }

  private begin(kind: VideoKind, track: MediaStreamTrack): void {
    this.own[kind] = track;
    this.wanted[kind] = Infinity;
    track.addEventListener('ended', () => {
      if (this.own[kind] !== track) return;
      // A screen is ended by the browser's own button; a camera was unplugged.
      if (kind === 'camera') this.problem = { kind, problem: { code: 'unplugged', detail: '' } };
      this.stop(kind);
    });
    this.room.say({ type: 'show', kind, on: true });
    if (this.connection) void this.send(this.connection, kind);
    else this.connect();
  }

  private stopAll(): void {
    this.stop('camera');
    this.stop('screen');
  }

  private async send(connection: VideoConnection, kind: VideoKind): Promise<void> {
    await connection.limit(kind, this.wanted[kind]);
    await connection.show(kind, this.own[kind]);
  }

  /** Something in the room is different: a connection is made once there is something to be seen. */
  private follow(): void {
    const { people, stage } = this.room.view;
    const isShown = people.some(({ you, camera, screen }) => !you && (camera || screen));
    if (isShown && !this.connection && stage === 'inside') this.connect();
    this.changed();
  }

  private async told(message: RoomMessage): Promise<void> {
    if (message.type === 'joined') {
      // The relay knows nothing of the former connection any more.
      if (this.connection || this.own.camera || this.own.screen) this.connect();
    } else if (message.type === 'video_answer') {
      await this.accept(message);
    } else if (message.type === 'views') {
      this.views = message.views;
      this.changed();
    } else if (message.type === 'video_wanted') {
      this.wanted[message.kind] = message.height;
      await this.connection?.limit(message.kind, message.height);
    } else if (message.type === 'error' && message.code === 'no_word') {
      this.stopAll();
    }
  }

  private connect(): void {
    this.connection?.close();
    this.places.reset([]);
    [this.views, this.said] = [[], '[]'];
    const connection: VideoConnection = new VideoConnection({
      offer: ({ sdp }) => {
        this.room.say({ type: 'video_offer', sdp: sdp ?? '' });
      },
      lost: () => {
        if (connection !== this.connection) return;
        this.connection = null;
        setTimeout(() => { this.reconnect(); }, RETRY_MS);
        this.changed();
      },
      slot: (mid, track) => {
        this.streams.set(mid, new MediaStream([track]));
      },
    });
    this.connection = connection;
    for (const kind of ['camera', 'screen'] as const) {
      if (this.own[kind]) this.room.say({ type: 'show', kind, on: true });
      void connection.show(kind, this.own[kind]);
    }
    void connection.offer();
  }

  private reconnect(): void {
    if (this.connection || this.watching.signal.aborted) return;
    if (this.own.camera || this.own.screen) this.connect();
    else this.follow();
  }

  private async accept({ sdp, slots }: Extract<RoomMessage, { type: 'video_answer' }>): Promise<void> {
    const { connection } = this;
    await connection?.accept({ type: 'answer', sdp });
    this.places.reset(slots);
    this.sayViews();
  }

  /** At once, or as soon as it may be said again. */
  private sayLater(): void {
    this.saying ??= setTimeout(() => {
      this.saying = undefined;
      this.sayViews();
    }, Math.max(0, this.saidAt + SAY_MS - performance.now()));
  }

  /** Tells the relay what is seen; in a tab that nobody looks at, nothing is. */
  private sayViews(): void {
    const others = this.seen.filter(({ key }) => !this.isOwn(key));
    const places = this.places.place(others.map(({ key }) => key));
    const isHidden = document.hidden && !document.pictureInPictureElement;
    const tiles = others.flatMap(({ key, height }): Tile[] => {
      const slot = places.get(key);
      const [who, kind] = key.split('/') as [string, VideoKind];
      return slot === undefined ? [] : [{ slot, who, kind, height: isHidden ? 0 : height }];
    });
    const text = JSON.stringify(tiles);
    if (text === this.said || !this.connection) return;
    [this.said, this.saidAt] = [text, performance.now()];
    this.room.say({ type: 'view', tiles });
  }

  private isOwn(key: string): boolean {
    return this.room.view.people.some(({ you, id }) => you && key.startsWith(`${id}/`));
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
