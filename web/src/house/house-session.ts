// What one device has of the house: the rooms that there are, those it listens to, and the one it talks in. Behind the page
// and behind cards. It knows no DOM beyond sockets, peer connections and audio; whoever shows it listens for `change`.

import { HouseCalls } from '../calls/house-calls';
import type { Room } from '../rooms/room-protocol';
import { RoomSession, type ChoiceKeeper } from '../rooms/room-session';
import { isTalking, type TalkState } from '../rooms/room-voice';
import { RoomWatch } from '../rooms/room-watch';
import { chime } from '../session/chime';
import { browserStorage, loadChoices, saveChoices, type Choices, type ChoiceStorage } from '../session/choices';
import { DeviceList } from '../session/devices';
import { watchSurroundings } from '../session/surroundings';
import type { Heard, HouseView, PlaceView } from './house-view';

/** The room of those who name none. */
export const HOME = 'home';

/** Who has talked in a room without listening to it stays for so long, so that the next word is heard as soon as it is said. */
const LINGER_MS = 10_000;

/** With a station somewhat longer: it may want to answer. */
const LINGER_WITH_STATION_MS = 30_000;

/** One connection, for statistics: the same one talks and hears. */
export interface ConnectionView {
  role: 'talk' | 'hear';
  /** The room's id. */
  roomId: string;
  peer: RTCPeerConnection;
}

/** A client of the house. Fires `change` whenever {@link view} has. */
export class HouseSession extends EventTarget implements ChoiceKeeper {
  /** Calls to this device, and from it. */
  readonly calls: HouseCalls;
  private readonly watch: RoomWatch;
  private readonly devices: DeviceList;
  private readonly sessions = new Map<string, RoomSession>();
  private chosen: Choices;
  private mp3Port: number | null = null;
  /** Ends what {@link connect} has begun. */
  private running: AbortController | null = null;
  /** Where we talk, or talked last. */
  private speaking: RoomSession | null = null;
  private lingering: ReturnType<typeof setTimeout> | undefined;
  /** Rooms that somebody looks at from inside: the page of a room, or a card. */
  private readonly visited = new Map<string, number>();
  private wasUp = false;

  /** `base` is where the relay's page lives; everything else is relative to it. Choices are kept in `storage`. */
  constructor(
    readonly base: URL,
    private readonly storage: ChoiceStorage | null = browserStorage(),
    /** Whether this is a device that has a name and can be called, rather than a card on somebody's dashboard. */
    private readonly isDevice = false,
  ) {
    super();
    this.chosen = loadChoices(storage);
    const changed = () => {
      this.changed();
    };
    this.calls = new HouseCalls(storage, {
      say: (request) => {
        this.watch.say(request);
      },
      isUp: () => this.watch.isUp,
      choices: () => this.chosen,
      introduction: () => this.introduction(),
      talkIn: (roomId) => void this.talk(roomId),
      stopIn: (roomId) => {
        if (this.speaking?.roomId === roomId) this.stopTalking();
      },
      changed: () => {
        this.reconcile();
      },
    });
    this.watch = new RoomWatch(
      base,
      () => {
        this.roomsChanged();
      },
      this.calls,
    );
    this.devices = new DeviceList(() => {
      for (const session of this.sessions.values()) session.devicesChanged();
      changed();
    });
  }

  /** Connects, and stays connected. Listens to what was listened to on the last visit. */
  connect(): void {
    if (this.running) return;
    this.running = new AbortController();
    const unwatch = watchSurroundings(() => {
      this.watch.probe();
    });
    this.running.signal.addEventListener('abort', unwatch);
    this.devices.watch();
    this.watch.connect();
    this.reconcile();
  }

  /** Gives everything back: the microphone, connections, timers. {@link connect} begins again. */
  close(): void {
    this.running?.abort();
    this.running = null;
    clearTimeout(this.lingering);
    this.devices.unwatch();
    this.watch.close();
    this.wasUp = false;
    this.calls.lost();
    for (const id of this.sessions.keys()) this.drop(id);
    this.speaking = null;
    this.changed();
  }

  /** Everything there is to show. */
  get view(): HouseView {
    const { rooms, isUp } = this.watch;
    const all = rooms?.map((room) => this.placeOf(room)) ?? null;
    const places = all?.filter(({ room }) => !room.station) ?? null;
    const stations = all?.filter(({ room }) => room.station && room.id !== this.calls.ownId) ?? [];
    const spoken = this.speaking?.view ?? null;
    const inside = [...this.sessions.values()].map(({ view }) => view);
    return {
      connected: isUp,
      joined: this.chosen.joined,
      places,
      stations,
      own: all?.find(({ room }) => room.id === this.calls.ownId) ?? null,
      calls: this.calls.view,
      messages: this.calls.messages,
      selected: all?.find(({ room }) => room.id === this.chosen.room) ?? places?.[0] ?? null,
      talkingIn: this.speaking ? (this.roomOf(this.speaking.roomId) ?? spoken?.room ?? null) : null,
      talk: spoken?.talk ?? 'idle',
      problem: spoken?.problem ?? null,
      microphone: spoken?.microphone ?? 'off',
      muted: spoken?.muted ?? false,
      silent: spoken?.silent ?? false,
      blockage: inside.find(({ blockage }) => blockage)?.blockage ?? null,
      blocked: inside.some(({ blocked, listening }) => blocked && listening),
      listening: this.chosen.listensTo.length > 0,
      heard: [...this.sessions.values()].flatMap((session) => this.heardIn(session)),
      mp3Port: this.mp3Port,
      devices: this.devices.now,
    };
  }

  /** The open microphone, for a level meter. */
  get microphoneTrack(): MediaStreamTrack | null {
    return this.speaking?.microphoneTrack ?? null;
  }

  /** What the person has chosen on this device. */
  get choices(): Choices {
    return this.chosen;
  }

  /** Every connection there is now. */
  get connections(): ConnectionView[] {
    return [...this.sessions.values()].flatMap(({ peer, roomId, view }): ConnectionView[] => {
      if (!peer) return [];
      const hears: ConnectionView[] = [{ role: 'hear', roomId, peer }];
      return isTalking(view.talk) ? [{ role: 'talk', roomId, peer }, ...hears] : hears;
    });
  }

  /** Chooses anew, with effect at once; what is not named stays. Kept for the next visit. */
  choose(choices: Partial<Choices>): void {
    this.chosen = { ...this.chosen, ...choices };
    saveChoices(this.chosen, this.storage);
    for (const session of this.sessions.values()) session.followChoices();
    void this.calls.introduce();
    this.changed();
  }

  /** A short chime on the chosen loudspeaker; done when it has ended. */
  async testSound(): Promise<void> {
    await chime(this.chosen.loudspeaker);
  }

  /** Says who we are, and listens to everyone: after a tap, which browsers want before they play anything. */
  join(name: string): void {
    this.choose({ name, joined: true });
    this.listenTo(this.view.selected?.room.id ?? HOME, true);
  }

  /** Talks to this room from now on, when we talk. */
  select(roomId: string): void {
    if (isTalking(this.view.talk) && this.speaking?.roomId !== roomId) this.stopTalking();
    this.choose({ room: roomId });
  }

  /** Listens to this room, now and on the next visit, or no longer. */
  listenTo(roomId: string, on: boolean): void {
    const others = this.chosen.listensTo.filter((id) => id !== roomId);
    this.choose({ joined: true, listensTo: on ? [...others, roomId] : others });
    this.reconcile();
    // The tap that asked for it is what browsers want.
    if (on) this.unblock();
  }

  /** Opens the microphone and speaks in this room, or in the one that is selected. */
  async talk(roomId = this.view.selected?.room.id ?? this.chosen.room): Promise<void> {
    if (this.speaking?.roomId !== roomId) this.stopTalking();
    if (!this.chosen.joined) this.choose({ joined: true });
    clearTimeout(this.lingering);
    this.lingering = undefined;
    this.speaking = this.enter(roomId);
    this.listenWhereWanted();
    await this.speaking.talk();
  }

  /** Stops, and closes the microphone. */
  stopTalking(): void {
    this.speaking?.stopTalking();
  }

  /** Sends silence, or the voice again, without closing the microphone. */
  setMuted(muted: boolean): void {
    this.speaking?.setMuted(muted);
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    for (const session of this.sessions.values()) session.unblock();
  }

  /** Goes into a room to be there, until {@link endVisit}. */
  visit(roomId: string): RoomSession {
    this.visited.set(roomId, (this.visited.get(roomId) ?? 0) + 1);
    return this.enter(roomId);
  }

  /** Whoever visited it is gone. */
  endVisit(roomId: string): void {
    const others = (this.visited.get(roomId) ?? 1) - 1;
    if (others > 0) this.visited.set(roomId, others);
    else this.visited.delete(roomId);
    this.reconcile();
  }

  /** Goes out of a room: neither talks there nor listens any more. */
  leave(roomId: string): void {
    if (this.speaking?.roomId === roomId) {
      this.stopTalking();
      this.speaking = null;
    }
    this.listenTo(roomId, false);
  }

  /** The sessions of all rooms that we are in, or are going into. */
  get rooms(): readonly RoomSession[] {
    return [...this.sessions.values()];
  }

  /** The session of a room that we are in, or are going into. */
  sessionOf(roomId: string): RoomSession | null {
    return this.sessions.get(roomId) ?? null;
  }

  private placeOf(room: Room): PlaceView {
    const session = this.sessions.get(room.id);
    return { room, inside: session?.view ?? null, listening: this.chosen.listensTo.includes(room.id) };
  }

  private heardIn(session: RoomSession): Heard[] {
    const { stage, listening, carries, people, room } = session.view;
    if (stage !== 'inside' || !listening || !carries || !room) return [];
    return people.filter(({ talking, music, you }) => (talking || music) && !you).map((person) => ({ room, person }));
  }

  private roomOf(roomId: string): Room | undefined {
    return this.watch.rooms?.find(({ id }) => id === roomId);
  }

  /** Makes the rooms that we are in those that we want to be in. */
  private reconcile(): void {
    if (!this.running) return;
    const wanted = new Set([...this.chosen.listensTo, ...this.visited.keys()]);
    for (const also of [this.speaking?.roomId, this.calls.place.room, this.calls.ownId]) if (also) wanted.add(also);
    for (const id of this.sessions.keys()) if (!wanted.has(id)) this.drop(id);
    for (const id of wanted) this.enter(id);
    this.listenWhereWanted();
    this.changed();
  }

  private enter(roomId: string): RoomSession {
    const present = this.sessions.get(roomId);
    if (present) return present;
    const session = new RoomSession(this.base, roomId, this);
    this.sessions.set(roomId, session);
    session.addEventListener('change', () => {
      this.noteSession(session);
    });
    session.listen(this.hearsIn(roomId));
    session.enter();
    return session;
  }

  /** Whether we want to hear what is said in a room: in that of a station also what it answers. */
  private hearsIn(roomId: string): boolean {
    if (this.chosen.listensTo.includes(roomId) || roomId === this.calls.ownId) return true;
    if (roomId === this.calls.place.room) return this.calls.place.talking;
    return roomId === this.speaking?.roomId && this.isStation(roomId);
  }

  private listenWhereWanted(): void {
    for (const [id, session] of this.sessions) if (session.listening !== this.hearsIn(id)) session.listen(this.hearsIn(id));
  }

  private isStation(roomId: string): boolean {
    return Boolean(this.roomOf(roomId)?.station);
  }

  /** How this device is to be called, once somebody has joined by it. */
  private introduction(): { name: string; rooms: readonly string[] } | null {
    const { joined, name, listensTo } = this.chosen;
    return this.isDevice && joined && name ? { name, rooms: listensTo } : null;
  }

  private drop(roomId: string): void {
    const session = this.sessions.get(roomId);
    this.sessions.delete(roomId);
    session?.close();
  }

  private noteSession(session: RoomSession): void {
    if (this.sessions.get(session.roomId) !== session) return;
    if (session === this.speaking) this.noteTalking(session.view.talk);
    this.noteMicrophone();
    this.changed();
  }

  /** Once nothing is said any more, the room is left after a while, unless we listen there. */
  private noteTalking(talk: TalkState): void {
    if (talk !== 'idle') {
      clearTimeout(this.lingering);
      this.lingering = undefined;
      return;
    }
    this.lingering ??= setTimeout(() => {
      this.lingering = undefined;
      this.speaking = null;
      this.reconcile();
    }, this.speaking && this.isStation(this.speaking.roomId) ? LINGER_WITH_STATION_MS : LINGER_MS);
  }

  /** Once the microphone was allowed, the browser tells the names of devices. */
  private noteMicrophone(): void {
    const nameless = this.devices.now.microphones.every(({ label }) => !label);
    if (this.speaking?.view.microphone === 'live' && nameless) void this.devices.look();
  }

  private roomsChanged(): void {
    const { rooms, isUp } = this.watch;
    if (isUp && !this.wasUp) {
      void this.calls.introduce();
      void this.learnPorts();
    }
    if (!isUp && this.wasUp) this.calls.lost();
    this.wasUp = isUp;
    const gone = this.chosen.listensTo.filter((id) => rooms && !rooms.some((room) => room.id === id));
    // What is no more cannot be listened to any more, and the next one of that name is another.
    if (gone.length) this.choose({ listensTo: this.chosen.listensTo.filter((id) => !gone.includes(id)) });
    this.reconcile();
  }

  private async learnPorts(): Promise<void> {
    try {
      const health = (await (await fetch(new URL('health', this.base))).json()) as { mp3_port?: number };
      this.mp3Port = health.mp3_port ?? null;
      this.changed();
    } catch {
      // The addresses for players are not shown then; everything else works.
    }
  }

  private changed(): void {
    this.dispatchEvent(new Event('change'));
  }
}
