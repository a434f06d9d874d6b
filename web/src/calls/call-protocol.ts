// The words of calls (docs/protocol.md, "Calls") as types.

/** What came of a call. */
export type CallOutcome = 'answered' | 'declined' | 'missed' | 'cancelled' | 'busy';

/** One who is called, and how it goes there. */
export interface Callee {
  station: string;
  name: string;
  state: 'ringing' | 'answered' | 'declined' | 'stopped' | 'busy' | 'do_not_disturb' | 'away';
  /** Whether it may answer by itself. */
  drop_in?: boolean;
}

/** A call, as everybody sees it who has to do with it. */
export interface Call {
  id: string;
  /** Without a station: a doorbell, an automation. */
  from: { station: string | null; name: string };
  to: Callee[];
  state: 'ringing' | 'answered' | 'over';
  /** While `answered`: the station that has. */
  by?: string;
  /** When `over`. */
  outcome?: CallOutcome;
  /** Unix seconds. */
  at: number;
  /** Where those who answer talk; null where they do not. */
  room: string | null;
}

/** A message that somebody has left. */
export interface VoiceMessage {
  /** Whoever knows it may hear the message. */
  id: string;
  from: { station: string; name: string };
  /** `everybody`, or the id of a room or device. */
  to: string;
  /** Unix seconds. */
  at: number;
  milliseconds: number;
  bytes: number;
  heard: boolean;
  /** How loud its parts are, 255 of full scale. */
  peaks: number[];
}

/** Hours of each day in which a place is not to be disturbed: `22:00`. */
export interface QuietHours {
  from: string;
  until: string;
}

/** What we say. */
export type CallRequest =
  | { type: 'station'; name: string; key?: string; rooms: readonly string[] }
  | { type: 'ring'; to: readonly string[] }
  | { type: 'do_not_disturb'; passes?: 'urgent'; seconds?: number }
  | { type: 'quiet_hours'; hours: QuietHours | null }
  | { type: 'answer_call'; call: string }
  | { type: 'hang_up'; call: string }
  | { type: 'record_voice_message'; to: string; offer: RTCSessionDescriptionInit }
  | { type: 'send_voice_message' }
  | { type: 'discard_voice_message' };

/** What the relay says. */
export type CallMessage =
  | { type: 'station'; id: string; name: string; key: string; calls: Call[] }
  | { type: 'call'; call: Call }
  | { type: 'station_removed' }
  | { type: 'quiet_hours'; hours: QuietHours | null }
  | MailboxMessage;

/** What it says of voice messages. */
export type MailboxMessage =
  | { type: 'voice_messages'; voice_messages: VoiceMessage[] }
  | { type: 'voice_message_recording'; answer: RTCSessionDescriptionInit; seconds: number }
  /** Null: it was thrown away. */
  | { type: 'voice_message_over'; voice_message: VoiceMessage | null };

export const CALL_MESSAGES = [
  'station',
  'call',
  'station_removed',
  'quiet_hours',
  'voice_messages',
  'voice_message_recording',
  'voice_message_over',
] as const satisfies readonly CallMessage['type'][];

/** Whether something that is said on the socket is of calls. */
export function isOfCalls(message: { type: string }): message is CallMessage {
  return (CALL_MESSAGES as readonly string[]).includes(message.type);
}
