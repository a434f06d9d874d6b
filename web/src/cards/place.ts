// One card's place on a line: what the card wants of the session it shares, and what it does by itself.

import { isOpenToAll, placeOf } from '../house/announcing';
import { HOME, type HouseSession } from '../house/house-session';
import type { PlaceView } from '../house/house-view';
import { hearersOf, nameOf } from '../house/presence';
import { noticeInWords } from '../messages/room';
import { isTalking, type TalkState } from '../rooms/room-voice';
import type { PersonView, Refusal } from '../rooms/room-view';
import type { Blockage } from '../session/carriage';
import type { Choices } from '../session/choices';
import type { Problem } from '../session/problem';
import { playerHost } from './address';
import type { CardConfig } from './config';
import { refusalOf, type Hass } from './hass';
import type { Line, Seat, Voice } from './lines';
import { TargetPlayers } from './players';

/** Everything that a card shows, at one moment. */
export interface CardView {
  /** In its room. */
  connected: boolean;
  talk: TalkState;
  problem: Problem | null;
  microphone: 'off' | 'live';
  silent: boolean;
  blockage: Blockage | null;
  listening: boolean;
  /** The browser wants a tap before it plays anything. */
  blocked: boolean;
  /** Who talks there, ourselves among them. */
  talking: readonly PersonView[];
  /** The room, where it is known. */
  place: PlaceView | null;
  /** How many others hear what is said there. */
  hearers: number;
}

/** What there is to show before there is a session. */
const NOTHING: CardView = {
  connected: false,
  talk: 'idle',
  problem: null,
  microphone: 'off',
  silent: false,
  blockage: null,
  listening: false,
  blocked: false,
  talking: [],
  place: null,
  hearers: 0,
};

/** What a place needs of its card. */
export interface Owner {
  hass(): Hass | undefined;
  /** In the editor or the picker. */
  isPreview(): boolean;
}

/** A card's place. For the card, and for its talk button, it is the session. Fires `change`. */
export class Place extends EventTarget implements Seat {
  readonly listens: boolean;
  readonly boost: number;
  readonly room: string;
  /** Why a media player does not play; empty when it does. */
  playerProblem = '';

  private readonly players: TargetPlayers;
  private hasBegun = false;

  constructor(
    readonly line: Line,
    private readonly config: CardConfig,
    private readonly owner: Owner,
  ) {
    super();
    this.listens = config.mode !== 'talk';
    this.boost = config.volumeBoost;
    this.room = config.room || HOME;
    this.players = new TargetPlayers(
      config.mediaPlayers,
      async (...action) => owner.hass()?.callService?.(...action),
      (error) => {
        this.playerProblem = refusalOf(error).message;
        this.dispatchEvent(new Event('change'));
      },
    );
    line.take(this);
    line.addEventListener('change', this.follow);
    this.follow();
  }

  /** Why we are not in the card's room, if we are not. */
  get refusal(): Refusal | null {
    return this.inside?.refusal ?? null;
  }

  /** The open microphone, for a level meter. */
  get microphoneTrack(): MediaStreamTrack | null {
    return this.session?.sessionOf(this.room)?.microphoneTrack ?? null;
  }

  /** Where, and with which choices, something is recorded to be announced; null without a relay. */
  get recording(): { base: URL; choices: Choices } | null {
    const { session } = this;
    return session && { base: session.base, choices: { ...session.choices, ...this.voice } };
  }

  /** Where this card announces: in its own room; without one, in every room that is open to all. */
  get announcesIn(): readonly string[] {
    if (this.config.room) return [placeOf(this.room)];
    return this.session?.view.places?.flatMap(({ room }) => (isOpenToAll(room) ? [placeOf(room.id)] : [])) ?? [];
  }

  /** Who is called from this card: its own room; without one, everybody. */
  get calls(): string {
    return this.config.room ? this.room : 'everybody';
  }

  /** How people call a place in which it announces; null where that room is no more. */
  nameOf(place: string): string | null {
    const found = this.session?.view.places?.find(({ room }) => placeOf(room.id) === place);
    return found ? nameOf(found.room) : null;
  }

  /** Everything there is to show. */
  get view(): CardView {
    const { session, inside } = this;
    if (!session) return NOTHING;
    const place = session.view.places?.find(({ room }) => room.id === this.room) ?? null;
    const hearers = place ? hearersOf(place) : 0;
    if (!inside) return { ...NOTHING, connected: session.view.connected && this.owner.isPreview(), place, hearers };
    const { stage, problem, people, talk, microphone, silent, blockage, blocked, listening } = inside;
    const talking = stage === 'inside' ? people.filter((person) => person.talking || person.music || (person.you && talk === 'live')) : [];
    return {
      connected: stage === 'inside' && inside.connected,
      ...{ talk, problem: problem && inWords(problem), microphone, silent, blockage, listening, blocked: blocked && listening },
      ...{ talking, place, hearers },
    };
  }

  /** Talks with this card's voice, and on its media players. */
  async talk(): Promise<void> {
    this.playerProblem = '';
    await this.line.talk(this, this.voice);
  }

  stopTalking(): void {
    if (isTalking(this.view.talk)) this.session?.stopTalking();
  }

  /** Listens to the card's room, or no longer. */
  listen(on: boolean): void {
    this.session?.listenTo(this.room, on);
  }

  /** Volume of one person, from 0 to 1; kept under their name. */
  setVolume(name: string, volume: number): void {
    this.session?.sessionOf(this.room)?.setVolume(name, volume);
  }

  /** After a tap: lets be heard what the browser held back. */
  unblock(): void {
    this.line.unblock();
  }

  /** Gives the place back. */
  leave(): void {
    this.line.removeEventListener('change', this.follow);
    this.line.leave(this);
    this.players.stop();
  }

  private get session(): HouseSession | null {
    return this.line.session;
  }

  private get inside() {
    return this.session?.sessionOf(this.room)?.view ?? null;
  }

  private get voice(): Voice {
    const { name, echoCancellation, noiseSuppression, autoGainControl } = this.config;
    return { name: name || (this.owner.hass()?.user?.name ?? ''), echoCancellation, noiseSuppression, autoGainControl };
  }

  private readonly follow = (): void => {
    // In the editor nobody is there.
    if (!this.owner.isPreview()) this.line.enter(this, this.config.pin, this.voice);
    this.begin();
    this.tellPlayers();
    this.dispatchEvent(new Event('change'));
  };

  /** What the configuration says to do at once; once. */
  private begin(): void {
    if (this.hasBegun || !this.view.connected || this.owner.isPreview()) return;
    this.hasBegun = true;
    if (this.config.autoListen) this.listen(true);
    if (this.config.autoTalk) void this.talkIfAllowed();
  }

  private async talkIfAllowed(): Promise<void> {
    // Some browsers do not tell; there the button is for it.
    const permission = await navigator.permissions.query({ name: 'microphone' }).catch(() => null);
    if (permission?.state === 'granted') await this.talk();
  }

  private tellPlayers(): void {
    const { talk } = this.view;
    const mp3Port = this.session?.view.mp3Port ?? null;
    if (this.line.speaker !== this || !isTalking(talk)) {
      this.players.stop();
      return;
    }
    if (talk !== 'live' || mp3Port === null) return;
    this.players.play(this.room, () => this.addressOf(mp3Port));
  }

  private async addressOf(mp3Port: number): Promise<string> {
    if (this.config.streamUrl) return this.config.streamUrl;
    const base = this.session?.base ?? new URL(location.href);
    const info = await fetch(new URL('api/info', base)).then(
      (answer) => answer.json() as Promise<{ media_addresses?: string[] }>,
      () => ({ media_addresses: [] }),
    );
    const host = playerHost(base, this.line.throughIngress, info.media_addresses ?? []);
    return `http://${host}:${mp3Port}/stream/room/${this.room}.mp3`;
  }
}

/** What the room has against our talking, in words of its own. */
function inWords(problem: Problem): Problem {
  return problem.code === 'refused' ? { ...problem, detail: noticeInWords({ code: problem.detail, message: '' }) } : problem;
}
