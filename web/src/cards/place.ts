// One card's place on a line: what the card wants of the session it shares, and what it does by itself.

import type { Refusal } from '../rooms/room-view';
import type { SessionView } from '../session/session';
import { playerHost } from './address';
import type { CardConfig } from './config';
import { refusalOf, type Hass } from './hass';
import type { Line, Seat, Voice } from './lines';
import { TargetPlayers } from './players';
import type { CardSession, RoomFace } from './room-face';

/** What there is to show before there is a session. */
const NOTHING: SessionView = {
  connected: false,
  talk: 'idle',
  problem: null,
  microphone: 'off',
  muted: false,
  listening: false,
  streams: [],
  mp3Port: null,
  devices: { microphones: [], loudspeakers: [] },
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
  private face: RoomFace | null = null;
  private hasBegun = false;

  constructor(
    readonly line: Line,
    private readonly config: CardConfig,
    private readonly owner: Owner,
  ) {
    super();
    this.listens = config.mode !== 'talk';
    this.boost = config.volumeBoost;
    this.room = config.room;
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

  /** The session of the house, or of the card's room. */
  get session(): CardSession | null {
    return this.room ? this.face : this.line.session;
  }

  /** Why we are not in the card's room, if we are not. */
  get refusal(): Refusal | null {
    return this.face?.refusal ?? null;
  }

  /** Everything there is to show. */
  get view(): SessionView {
    return this.session?.view ?? NOTHING;
  }

  /** Talks with this card's voice, and on its media players. */
  async talk(): Promise<void> {
    this.playerProblem = '';
    if (this.room) await this.face?.talk(this, this.voice);
    else await this.line.talk(this, this.voice);
  }

  stopTalking(): void {
    this.session?.stopTalking();
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

  private get voice(): Voice {
    const { name, echoCancellation, noiseSuppression, autoGainControl } = this.config;
    return { name: name || (this.owner.hass()?.user?.name ?? ''), echoCancellation, noiseSuppression, autoGainControl };
  }

  private readonly follow = (): void => {
    // In the editor nobody is there.
    if (this.room && !this.owner.isPreview()) this.face ??= this.line.enter(this, this.config.pin, this.voice);
    this.begin();
    this.tellPlayers();
    this.dispatchEvent(new Event('change'));
  };

  /** What the configuration says to do at once; once. */
  private begin(): void {
    if (this.hasBegun || !this.view.connected || this.owner.isPreview()) return;
    this.hasBegun = true;
    if (this.config.autoListen) this.session?.listen();
    if (this.config.autoTalk) void this.talkIfAllowed();
  }

  private async talkIfAllowed(): Promise<void> {
    // Some browsers do not tell; there the button is for it.
    const permission = await navigator.permissions.query({ name: 'microphone' }).catch(() => null);
    if (permission?.state === 'granted') await this.talk();
  }

  private tellPlayers(): void {
    const { talk, streams, mp3Port } = this.view;
    const isOurs = (this.room ? this.face : this.line)?.speaker === this;
    if (!isOurs || talk === 'idle' || talk === 'failed') {
      this.players.stop();
      return;
    }
    const stream = streams.find(({ own }) => own);
    if (talk !== 'live' || !stream || mp3Port === null) return;
    // Players of a room play all of it.
    const played = this.room ? `room/${this.room}` : stream.id;
    this.players.play(played, () => this.addressOf(played, mp3Port));
  }

  private async addressOf(stream: string, mp3Port: number): Promise<string> {
    if (this.config.streamUrl) return this.config.streamUrl;
    const base = this.session?.base ?? new URL(location.href);
    const info = await fetch(new URL('api/info', base)).then(
      (answer) => answer.json() as Promise<{ media_addresses?: string[] }>,
      () => ({ media_addresses: [] }),
    );
    const host = playerHost(base, this.line.throughIngress, info.media_addresses ?? []);
    return `http://${host}:${mp3Port}/stream/${stream}.mp3`;
  }
}
