// One room as one person is in it: talks, hears, shares music, chats. It knows no DOM beyond sockets, peer
// connections and audio; whoever shows it listens for `change`.

import { askRelay, type RelayInfo } from '../lib/relay-info';
import { Carriage } from '../session/carriage';
import { MICROPHONE_CHOICES, type Choices } from '../session/choices';
import { socketUrl } from '../session/signalling';
import { watchSurroundings } from '../session/surroundings';
import type { StatsEntry } from '../lib/statistics';
import { hearingBetween, totalsOf, type HearingTotals } from './hearing-report';
import { Membership } from './membership';
import type { MusicSource } from './music-source';
import { RoomConnection } from './room-connection';
import { RoomEars, type Loudness, type RoomSound } from './room-ears';
import { RoomMusic } from './room-music';
import type { HostAction, RoomMessage, RoomRequest } from './room-protocol';
import { speechIn, personIn, spreadOf, type RoomState } from './room-state';
import type { PersonView, RoomView } from './room-view';
import { RoomVoice } from './room-voice';
import { MUSIC_BITS } from './stereo';

/** Whoever may do this may do what a host does, in every room. */
const HOSTING = 'share';

/** How often to tell the relay how well we hear. */
const REPORT_MS = 2_000;

/** A connection that does not carry by then is given up for another. */
const ATTEMPT_MS = 8_000;

/** A connection that is lost is followed by another after this. */
const RETRY_MS = 250;

/** Whose choices a session follows: the page's, or a card's. */
export interface ChoiceKeeper {
  readonly choices: Choices;
  choose(choices: Partial<Choices>): void;
}

/** One visit to a room. Fires `change` whenever {@link view} has, and `told` with whatever the relay says. */
export class RoomSession extends EventTarget {
  private readonly membership: Membership;
  private readonly voice: RoomVoice;
  private readonly ears: RoomEars;
  private readonly sharing: RoomMusic;
  /** Whether sound gets through, in either direction. */
  private readonly carriage: Carriage;
  private connection: RoomConnection | null = null;
  private isListening = true;
  /** What the relay knows of whether we hear. */
  private toldHearing = true;
  private isAdmin = false;
  private watching: AbortController | null = null;
  private heard: HearingTotals | null = null;
  private followed: Choices;
  private patience: ReturnType<typeof setTimeout> | undefined;

  /** `base` is where the relay's page lives; `roomId` names the room. */
  constructor(
    readonly base: URL,
    readonly roomId: string,
    private readonly keeper: ChoiceKeeper,
  ) {
    super();
    this.followed = keeper.choices;
    const changed = () => {
      this.changed();
    };
    this.carriage = new Carriage(() => this.connection?.carries ?? false, changed);
    this.membership = new Membership(socketUrl(base), roomId, () => keeper.choices.name, {
      entered: () => {
        this.entered();
      },
      over: () => {
        this.silence();
      },
      told: (message, before) => {
        this.told(message, before);
      },
      changed: () => {
        // Without the relay nobody can tell what else is in the way.
        if (!this.membership.isConnected) this.carriage.ends();
        this.voice.settle();
        this.changed();
      },
    });
    this.voice = new RoomVoice({
      choices: () => keeper.choices,
      isReady: () => this.membership.isInside && (this.connection?.carries ?? false),
      carry: async (track) => this.connection?.carry('voice', track),
      say: (on) => {
        this.membership.say({ type: 'talk', on });
      },
      changed,
    });
    this.sharing = new RoomMusic({
      carry: async (track) => this.connection?.carry('music', track),
      say: (on, title) => {
        this.membership.say(on ? { type: 'music', on, title } : { type: 'music', on });
      },
      changed,
    });
    this.ears = new RoomEars({
      loudnessIn: (mid) => this.loudnessIn(mid),
      loudspeaker: () => keeper.choices.loudspeaker,
      changed,
    });
  }

  /** Goes into the room, and stays there. */
  enter(): void {
    if (this.watching) return;
    this.watching = new AbortController();
    const { signal } = this.watching;
    const unwatch = watchSurroundings(() => {
      this.membership.probe();
      void this.connection?.renew();
    });
    const reporting = setInterval(() => void this.report(), REPORT_MS);
    signal.addEventListener('abort', () => {
      unwatch();
      clearInterval(reporting);
    });
    // Nobody can see the button any more, so nobody can know that the microphone is open.
    const stopTalking = () => {
      this.voice.stop();
    };
    window.addEventListener('pagehide', stopTalking, { signal });
    void askRelay<RelayInfo>(this.base, 'api/info').then((info) => {
      this.isAdmin = info?.body.may.includes(HOSTING) ?? false;
      this.changed();
    });
    this.membership.open();
  }

  /** Goes out of the room, and gives everything back. */
  close(): void {
    this.watching?.abort();
    this.watching = null;
    this.silence();
    this.membership.close();
  }

  /** Everything there is to show. */
  get view(): RoomView {
    const { membership, voice, sharing, ears } = this;
    const { state, stage, refusal, notice, room, you } = membership;
    return {
      connected: membership.isConnected,
      stage,
      refusal,
      notice,
      carries: this.connection?.carries ?? false,
      room,
      mayHost: (you?.host ?? false) || this.isAdmin,
      people: state ? this.people(state) : [],
      listeners: state?.listeners ?? [],
      listenerCount: state?.listening ?? 0,
      guesses: state?.guesses ?? 0,
      chat: state?.chat ?? [],
      unread: state?.unread ?? 0,
      talk: voice.state,
      problem: voice.problem,
      microphone: voice.isMicrophoneOpen ? 'live' : 'off',
      muted: voice.muted,
      silent: voice.isSilent,
      blockage: this.carriage.blockage,
      blocked: ears.isBlocked,
      listening: this.isListening,
      delay: ears.delay,
      music: sharing.view,
      stats: state?.stats ?? null,
      spread: spreadOf(state?.stats ?? null),
    };
  }

  /** Whether we hear, or want to. */
  get listening(): boolean {
    return this.isListening;
  }

  /** The connection, for statistics and tests. */
  get peer(): RTCPeerConnection | null {
    return this.connection?.peer ?? null;
  }

  /** The open microphone, for a level meter. */
  get microphoneTrack(): MediaStreamTrack | null {
    return this.voice.track;
  }

  /** Pause, place and volume of a file that is shared. */
  get player(): MusicSource['player'] {
    return this.sharing.player;
  }

  /** Shows this PIN at the door, without being asked for it. */
  bring(pin: string): void {
    this.membership.pin = pin;
  }

  /** Tries again to come in, with this PIN and this name. */
  ask({ pin, name }: { pin?: string; name?: string } = {}): void {
    if (name !== undefined) this.keeper.choose({ name });
    this.membership.ask(pin);
  }

  async talk(): Promise<void> {
    this.membership.notice = null;
    await this.voice.start();
  }

  stopTalking(): void {
    this.voice.stop();
  }

  /** Hears everybody, or nobody. */
  listen(on: boolean): void {
    this.isListening = on;
    this.ears.apply();
    this.tellHearing();
    this.changed();
  }

  /** Sends silence, or the voice again, without closing the microphone. */
  setMuted(muted: boolean): void {
    this.voice.muted = muted;
  }

  /** Something was plugged in or out. */
  devicesChanged(): void {
    this.voice.devicesChanged();
  }

  /** Somebody else plays the {@link sounds}, louder than we can: we are silent meanwhile. */
  set playedElsewhere(elsewhere: boolean) {
    this.ears.muted = elsewhere;
  }

  /** What is heard now, as it comes and as loud as it should be. */
  get sounds(): readonly RoomSound[] {
    return this.ears.sounds;
  }

  /** Lets sound wait for so many milliseconds on purpose, so that it does not stumble. */
  wait(milliseconds: number): void {
    this.ears.delay = milliseconds;
    this.changed();
  }

  /** Volume of one person, from 0 to 1; kept under their name. */
  setVolume(name: string, volume: number): void {
    const { volumes } = this.keeper.choices;
    this.keeper.choose({ volumes: { ...volumes, [name]: volume } });
    this.ears.apply();
    this.changed();
  }

  /** Something may have been chosen anew: devices have effect at once. */
  followChoices(): void {
    const [former, now] = [this.followed, this.keeper.choices];
    this.followed = now;
    if (now.name !== former.name && now.name) this.membership.say({ type: 'rename', name: now.name });
    if (now.loudspeaker !== former.loudspeaker) this.ears.moveToLoudspeaker();
    if (MICROPHONE_CHOICES.some((choice) => now[choice] !== former[choice])) void this.voice.reopen();
  }

  /** Shares this music from now on. */
  async share(open: () => Promise<MusicSource>): Promise<void> {
    this.membership.notice = null;
    await this.sharing.share(open);
  }

  stopSharing(): void {
    this.sharing.stop();
  }

  chat(text: string): void {
    this.membership.act({ type: 'chat', text });
  }

  /** The chat has been looked at. */
  readChat(): void {
    this.membership.readChat();
  }

  /** Does what only hosts may. */
  host(action: HostAction, who?: string | null): void {
    this.membership.act(who === undefined ? { type: 'host', action } : { type: 'host', action, who });
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    this.ears.unblock();
  }

  private people({ participants, you, levels, room }: RoomState): PersonView[] {
    return participants.map((one) => ({
      ...one,
      you: one.id === you,
      level: levels[one.id] ?? -127,
      volume: this.volumeOf(one.name),
      pinned: one.id === room.pinned,
    }));
  }

  private entered(): void {
    this.toldHearing = true;
    this.tellHearing();
    // Who comes back as the same is called as before.
    const { name } = this.keeper.choices;
    if (name && this.membership.you?.name !== name) this.membership.say({ type: 'rename', name });
    this.connect();
  }

  /** Says something that is of use inside only. */
  say(request: RoomRequest): void {
    this.membership.say(request);
  }

  private told(message: RoomMessage, before: RoomState | null): void {
    this.dispatchEvent(new CustomEvent('told', { detail: message }));
    if (message.type === 'answer') void this.takeAnswer(message.sdp);
    else if (message.type === 'bitrate') this.limit(message);
    else if (message.type === 'error') this.refused(message.code);
    const { state, you } = this.membership;
    if (!state) return;
    const [speech, former] = [speechIn(state), before && speechIn(before)];
    if (speech !== former) this.ears.duck(speech !== 'none', speech === 'urgent');
    if (state.slots !== before?.slots || state.participants !== before.participants) this.ears.apply();
    if (you?.muted) this.refused('muted');
    else if (you && !you.word) this.refused('no_word');
  }

  /** We may not talk, or no longer; why is told by the protocol's code. */
  private refused(code: string | undefined): void {
    if (code !== 'muted' && code !== 'no_word' && code !== 'occupied') return;
    this.voice.refuse({ code: 'refused', detail: code });
    this.sharing.stop();
  }

  /** Makes a connection in place of the one that there is. */
  private connect(): void {
    this.disconnect();
    const connection: RoomConnection = new RoomConnection({
      offer: ({ sdp }) => {
        this.membership.say({ type: 'offer', sdp: sdp ?? '' });
      },
      lost: () => {
        this.voice.settle();
        this.changed();
        setTimeout(() => {
          if (connection === this.connection && this.membership.isInside) this.connect();
        }, RETRY_MS);
      },
      slot: (mid, receiver) => {
        this.ears.put(mid, receiver);
      },
      changed: () => {
        if (connection.carries) this.carriage.ends();
        this.voice.settle();
        this.changed();
      },
    });
    this.connection = connection;
    this.patience = setTimeout(() => {
      if (connection === this.connection && !connection.carries && this.membership.isInside) this.connect();
    }, ATTEMPT_MS);
    void this.voice.resume();
    void this.sharing.resume();
    void connection.offer();
  }

  /** Nothing is said or heard any more. */
  private silence(): void {
    this.voice.stop();
    this.sharing.stop();
    this.disconnect();
    this.carriage.ends();
  }

  private disconnect(): void {
    clearTimeout(this.patience);
    this.connection?.close();
    this.connection = null;
    this.heard = null;
    this.ears.clear();
  }

  private async takeAnswer(sdp: string): Promise<void> {
    const { connection } = this;
    this.carriage.tries(sdp);
    await connection?.accept({ type: 'answer', sdp });
    await connection?.limit('music', MUSIC_BITS);
  }

  private limit({ voice, music }: { voice: number; music: number }): void {
    void this.connection?.limit('voice', voice);
    void this.connection?.limit('music', music);
  }

  private loudnessIn(mid: string): Loudness {
    const { state } = this.membership;
    // Until the relay has stopped sending.
    if (!this.isListening) return { volume: 0, music: false, urgent: false };
    const person = state && personIn(state, mid);
    const music = state?.slots.find((slot) => slot.mid === mid)?.music ?? false;
    return { volume: person ? this.volumeOf(person.name) : 1, music, urgent: person?.urgent ?? false };
  }

  private volumeOf(name: string): number {
    return this.keeper.choices.volumes[name] ?? 1;
  }

  private async report(): Promise<void> {
    const { peer } = this;
    if (!peer || !this.membership.isInside) return;
    const now = totalsOf([...(await peer.getStats()).values()] as StatsEntry[]);
    const hearing = this.heard && hearingBetween(this.heard, now);
    this.heard = now;
    if (hearing) this.membership.say({ type: 'report', delay_ms: hearing.delayMs, concealed: hearing.concealed });
  }

  /** Tells the relay, so that the others know: we hear nothing while we do not listen, and while no sound gets out here. */
  private tellHearing(): void {
    const hears = this.isListening && !this.ears.isBlocked && !this.carriage.blockage;
    if (hears === this.toldHearing || !this.membership.isInside) return;
    this.toldHearing = hears;
    this.membership.say({ type: 'listen', who: hears ? 'all' : [] });
  }

  private changed(): void {
    this.tellHearing();
    this.membership.urgent = this.voice.state === 'live';
    this.dispatchEvent(new Event('change'));
  }
}
