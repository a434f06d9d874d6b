// What is known of a room, told bit by bit: each message of the relay makes a new state of the former one.

import type { ChatLine, Listener, Participant, Room, RoomMessage, RoomStats, Slot } from './room-protocol';

/** Lines of chat that are kept; the oldest go. */
export const MAX_CHAT = 200;

/** Everything known of the room we are in. */
export interface RoomState {
  room: Room;
  /** Our own id. */
  you: string;
  participants: readonly Participant[];
  /** Who hears without having joined: the first of them, and how many they are. */
  listeners: readonly Listener[];
  listening: number;
  /** Wrong PINs that somebody tried, while that goes on; told to the host. */
  guesses: number;
  chat: readonly ChatLine[];
  /** Lines that came since the chat was last looked at. */
  unread: number;
  slots: readonly Slot[];
  /** dBov, of those who talk. */
  levels: Readonly<Record<string, number>>;
  stats: RoomStats | null;
}

/** The state after this message; null outside of any room. */
export function after(state: RoomState | null, message: RoomMessage): RoomState | null {
  if (message.type === 'joined') return entered(state, message);
  if (message.type === 'removed' || message.type === 'room_closed' || message.type === 'left') return null;
  return state && within(state, message);
}

/** The state once somebody has looked at the chat. */
export function chatRead(state: RoomState): RoomState {
  return state.unread ? { ...state, unread: 0 } : state;
}

/** Who is in the slot with this mid; undefined while nobody is. */
export function personIn(state: Pick<RoomState, 'slots' | 'participants'>, mid: string): Participant | undefined {
  const slot = state.slots.find((one) => one.mid === mid);
  return state.participants.find(({ id }) => id === slot?.who);
}

/** Whether anybody is heard talking, ourselves included, and whether that is urgent. */
export function speechIn({ participants }: Pick<RoomState, 'participants'>): 'none' | 'usual' | 'urgent' {
  const talking = participants.filter((one) => one.talking);
  if (!talking.length) return 'none';
  return talking.some(({ urgent }) => urgent) ? 'urgent' : 'usual';
}

/** How far apart in time the guests hear, in milliseconds; null while fewer than two are known. */
export function spreadOf(stats: Pick<RoomStats, 'guests'> | null): number | null {
  const delays = stats?.guests.flatMap(({ delay }) => (delay === null ? [] : [delay])) ?? [];
  return delays.length < 2 ? null : Math.max(...delays) - Math.min(...delays);
}

type Joined = Extract<RoomMessage, { type: 'joined' }>;

/** We are in: for the first time, or again after a break, when what was read stays read. */
function entered(before: RoomState | null, { room, you, participants, listeners, chat }: Joined): RoomState {
  const last = before?.chat.at(-1);
  const news = before ? chat.filter(({ at }) => at > (last?.at ?? 0)).length : 0;
  return {
    room,
    you,
    participants,
    listeners: listeners ?? [],
    listening: room.listeners ?? 0,
    guesses: 0,
    chat: chat.slice(-MAX_CHAT),
    unread: (before?.unread ?? 0) + news,
    slots: [],
    levels: {},
    stats: null,
  };
}

function within(state: RoomState, message: RoomMessage): RoomState {
  switch (message.type) {
    case 'participant_joined':
    case 'participant_changed':
      return { ...state, participants: withParticipant(state.participants, message.participant) };
    case 'participant_left':
      return without(state, message.who);
    case 'room_changed':
      return { ...state, room: message.room };
    case 'listeners':
      return { ...state, listeners: message.listeners, listening: message.count };
    case 'pin_guessed':
      return { ...state, guesses: message.wrong };
    case 'talking':
      return talking(state, message);
    case 'slots':
      return { ...state, slots: message.slots };
    case 'levels':
      return { ...state, levels: message.levels };
    case 'chat':
      return withLine(state, message);
    case 'stats':
      return { ...state, stats: message };
    default:
      return state;
  }
}

/** In the order in which they came. */
function withParticipant(participants: readonly Participant[], one: Participant): Participant[] {
  const isKnown = participants.some(({ id }) => id === one.id);
  return isKnown ? participants.map((other) => (other.id === one.id ? one : other)) : [...participants, one];
}

function without(state: RoomState, who: string): RoomState {
  return {
    ...state,
    participants: state.participants.filter(({ id }) => id !== who),
    slots: state.slots.filter((slot) => slot.who !== who),
  };
}

function talking(state: RoomState, { who, on, music }: Extract<RoomMessage, { type: 'talking' }>): RoomState {
  const participants = state.participants.map((one) => (one.id === who ? { ...one, [music ? 'music' : 'talking']: on } : one));
  if (on || music) return { ...state, participants };
  // Levels come only while anybody talks, so the last one would stay.
  return { ...state, participants, levels: Object.fromEntries(Object.entries(state.levels).filter(([id]) => id !== who)) };
}

function withLine(state: RoomState, { from, name, text, at, host }: ChatLine): RoomState {
  const line = { from, name, text, at, host };
  return {
    ...state,
    chat: [...state.chat, line].slice(-MAX_CHAT),
    unread: from === state.you ? state.unread : state.unread + 1,
  };
}
