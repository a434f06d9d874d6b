// What a session in a room shows of itself, at one moment.

import type { Blockage } from '../session/carriage';
import type { Problem } from '../session/problem';
import type { MusicProblem } from './music-source';
import type { TalkState } from './room-voice';
import type { ChatLine, Listener, Participant, Room, RoomStats } from './room-protocol';

/**
 * Where we are: `joining` until the room lets us in, or has lost us and is to have us back; `asked` for a PIN or
 * another name; `outside` when the room does not want us, or is over.
 */
export type Stage = 'joining' | 'asked' | 'inside' | 'outside';

/** Why we are not in the room, or what the relay refused to do. The codes are the protocol's. */
export interface Refusal {
  code: string;
  /** What the relay says itself. */
  message: string;
}

/** Somebody in the room, as a person sees them. */
export interface PersonView extends Participant {
  you: boolean;
  /** dBov: -127 is silence, 0 the loudest. */
  level: number;
  /** From 0 to 1. */
  volume: number;
  pinned: boolean;
}

/** The music that we share. */
export interface MusicView {
  /** `null`: none. */
  title: string | null;
  problem: MusicProblem | null;
  /** Of a file. */
  player: { paused: boolean; position: number; length: number; volume: number } | null;
}

/** How our talking goes, at one moment. */
export interface TalkView {
  talk: TalkState;
  /** Why it did not begin, or ended by itself; or why it is not the chosen microphone that is used. */
  problem: Problem | null;
  /** By the microphone's own account. */
  microphone: 'off' | 'live';
  /** The microphone is open, and silence is sent. */
  muted: boolean;
  /** The microphone is open, and gives no sound at all. */
  silent: boolean;
}

/** Everything there is to show, at one moment. */
export interface RoomView extends TalkView {
  /** The relay is there. */
  connected: boolean;
  stage: Stage;
  /** While `asked` or `outside`: why. */
  refusal: Refusal | null;
  /** While `inside`: what was refused last, until something else is done. */
  notice: Refusal | null;
  /** While `inside`: whether sound gets through. */
  carries: boolean;
  room: Room | null;
  /** May do what hosts do. */
  mayHost: boolean;
  people: PersonView[];
  /** Who hears without having joined: the first of them, and how many they are. */
  listeners: readonly Listener[];
  listenerCount: number;
  /** Wrong PINs that somebody tried; 0 for who is not the host. */
  guesses: number;
  chat: readonly ChatLine[];
  unread: number;
  /** What keeps sound from getting through, though the relay answers. */
  blockage: Blockage | null;
  /** The browser wants a tap before it plays anything. */
  blocked: boolean;
  listening: boolean;
  /** Milliseconds that we let sound wait on purpose. */
  delay: number;
  music: MusicView;
  stats: RoomStats | null;
  /** Between the guests, in milliseconds. */
  spread: number | null;
}
