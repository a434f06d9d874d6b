// The words of rooms (docs/protocol.md, "Rooms") as types, and how a frame of them is read.

import { CALL_MESSAGES, type CallMessage, type CallRequest } from '../calls/call-protocol';
import { readFrame, type Dialect } from '../session/signalling';

/** Characters of a name, of a person or a room; longer ones are cut by the relay. */
export const NAME_LENGTH = 40;

/** How good somebody's connection is; null until it is known. */
export type Quality = 'good' | 'fair' | 'poor' | null;

/** Somebody in a room, as everybody may see them. */
export interface Person {
  id: string;
  name: string;
  talking: boolean;
  /** Whether what others say there gets to them. */
  hears?: boolean;
  /** False: is heard without having joined, as a program or an announcement is. */
  joined?: boolean;
}

/** Somebody in a room. */
export interface Participant extends Person {
  host: boolean;
  /** By the host. */
  muted: boolean;
  /** May talk. */
  word: boolean;
  /** Is heard with music. */
  music: boolean;
  /** Shows their camera, or their screen. */
  camera?: boolean;
  screen?: boolean;
  /** All else is turned down for what they say. */
  urgent?: boolean;
  quality: Quality;
  /** Who they are in Home Assistant, where that is known. */
  user?: string;
}

/** Somebody who hears without having joined: a media player, an older card, the machine's loudspeaker. */
export interface Listener {
  id: string;
  name: string;
  kind: 'player' | 'client' | 'loudspeaker';
}

/** Whether a device is there; `phone`: its page is closed, and calls ring on its phone. */
export type Presence = 'here' | 'phone' | 'away';

/** A room, as everybody may see it. */
export interface Room {
  id: string;
  name: string;
  kind: 'intercom' | 'broadcast';
  permanent: boolean;
  /** Whose room it is: a device with a name, which is there or not. Null, or nothing, of all other rooms. */
  station?: Presence | null;
  /** Whether nothing rings or is announced there but what is urgent, at most. */
  doNotDisturb?: boolean;
  /** Whether whoever listens hears a tone when somebody begins to talk, and when they have finished. */
  talkTones?: boolean;
  /** Whether one talks at a time. */
  halfDuplex?: boolean;
  /** Whether devices there may answer by themselves when it is called. */
  dropIn?: boolean;
  locked: boolean;
  /** Whether it has one. */
  pin: boolean;
  /** Ids of participants. */
  host: string | null;
  pinned: string | null;
  max: number;
  participants: number;
  talking: number;
  /** Who hear without having joined. */
  listeners?: number;
  /** Who hear, those who have joined among them. */
  hearing?: number;
  /** In the list of rooms: the first of those who are there; nobody where one needs a PIN to know. */
  people?: Person[];
  /** In the list of rooms: how many hear it in which way without having joined. */
  listening?: { players: number; clients: number; loudspeakers: number };
  /** Unix seconds. */
  createdAt: number;
  /** Its mix for players, relative to the MP3 port. */
  url: string;
}

/** One line of the chat. */
export interface ChatLine {
  from: string;
  name: string;
  text: string;
  /** Unix seconds. */
  at: number;
  host: boolean;
}

/** One of our receiving m-lines, and who is in it. */
export interface Slot {
  mid: string;
  who: string;
  music: boolean;
}

/** What can be shown. */
export type VideoKind = 'camera' | 'screen';

/** Whether a picture comes; and if not, why. */
export type VideoState = 'waiting' | 'playing' | 'too_narrow' | 'cannot_decode';

/** One of the slots in which others are seen. */
export interface View {
  slot: string;
  who: string;
  kind: VideoKind;
  state: VideoState;
  /** Lines of the picture. */
  height: number | null;
}

/** A tile in which somebody is to be seen. */
export interface Tile {
  slot: string;
  who: string;
  kind: VideoKind;
  /** In pixels of the device; 0: it is hidden. */
  height: number;
}

/** One guest's connection. Milliseconds; loss as a share from 0 to 1. */
export interface GuestStats {
  id: string;
  name: string;
  rtt: number | null;
  loss: number | null;
  jitter: number | null;
  /** From mouth to ear, an estimate. */
  delay: number | null;
  quality: Quality;
}

/** What the whole room is like, at one moment. */
export interface RoomMoment {
  /** Bits a second. */
  bitrate: number | null;
  /** From mouth to ear, in milliseconds. */
  latency: number | null;
  /** Milliseconds. */
  jitter: number | null;
  /** A share from 0 to 1. */
  loss: number | null;
}

/** The same now, before, and for each guest. */
export interface RoomStats extends RoomMoment {
  guestCount: number;
  /** Seconds. */
  duration: number;
  bufferLevel: number | null;
  /** Oldest first. */
  history: RoomMoment[];
  guests: GuestStats[];
}

export const HOST_ACTIONS = ['mute', 'unmute', 'kick', 'hand_over', 'give_word', 'take_word', 'pin', 'lock', 'unlock', 'close', 'claim'] as const;

export type HostAction = (typeof HOST_ACTIONS)[number];

/** What we say. */
export type RoomRequest =
  | CallRequest
  | { type: 'join'; room: string; name: string; pin?: string; key?: string }
  | { type: 'rename'; name: string }
  | { type: 'offer'; sdp: string }
  | { type: 'talk'; on: boolean }
  | { type: 'music'; on: boolean; title?: string }
  | { type: 'listen'; who: 'all' | string[] }
  | { type: 'video_offer'; sdp: string }
  | { type: 'show'; kind: VideoKind; on: boolean }
  | { type: 'view'; tiles: Tile[] }
  | { type: 'chat'; text: string }
  | { type: 'host'; action: HostAction; who?: string | null }
  | { type: 'watch_rooms'; on: boolean }
  | { type: 'report'; delay_ms: number; concealed: number }
  | { type: 'leave' }
  | { type: 'ping' };

/** What the relay says. */
export type RoomMessage =
  | CallMessage
  | { type: 'joined'; room: Room; you: string; key: string; participants: Participant[]; listeners?: Listener[]; chat: ChatLine[] }
  | { type: 'answer'; sdp: string; voice: string | null; music: string | null; slots: string[] }
  | { type: 'participant_joined'; participant: Participant }
  | { type: 'participant_changed'; participant: Participant }
  | { type: 'participant_left'; who: string; reason: 'left' | 'gone' | 'kicked' }
  | { type: 'room_changed'; room: Room }
  | { type: 'listeners'; listeners: Listener[]; count: number }
  | { type: 'pin_guessed'; wrong: number }
  | { type: 'talking'; who: string; on: boolean; music: boolean }
  | { type: 'slots'; slots: Slot[] }
  | { type: 'video_answer'; sdp: string; camera: string | null; screen: string | null; slots: string[] }
  | { type: 'views'; views: View[] }
  | { type: 'video_wanted'; kind: VideoKind; height: number }
  | { type: 'levels'; levels: Record<string, number> }
  | ({ type: 'chat' } & ChatLine)
  | { type: 'bitrate'; voice: number; music: number }
  | ({ type: 'stats' } & RoomStats)
  | { type: 'removed'; reason: 'kicked' | 'replaced'; message: string }
  | { type: 'room_closed'; reason: 'closed' | 'host_left' | 'idle'; message: string }
  | { type: 'rooms'; rooms: Room[] }
  | { type: 'left' }
  | { type: 'pong' }
  | { type: 'error'; code?: string; message: string };

const KNOWN = new Set<string>([
  ...CALL_MESSAGES,
  'joined',
  'answer',
  'participant_joined',
  'participant_changed',
  'participant_left',
  'room_changed',
  'listeners',
  'pin_guessed',
  'talking',
  'slots',
  'video_answer',
  'views',
  'video_wanted',
  'levels',
  'chat',
  'bitrate',
  'stats',
  'removed',
  'room_closed',
  'rooms',
  'left',
  'pong',
  'error',
] satisfies RoomMessage['type'][]);

/** The words of rooms, for a socket. */
export const ROOM_WORDS: Dialect<RoomRequest, RoomMessage> = {
  parse: (frame) => readFrame(frame, KNOWN) as RoomMessage | null,
  lifeSign: { type: 'ping' },
};
