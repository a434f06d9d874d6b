// The fixed WebSocket protocol (docs/protocol.md, part 1) as types. No behaviour besides reading a frame.

import type { Dialect } from './signalling';

/** What we say. */
export type ClientMessage =
  | { type: 'start_sending'; name?: string }
  | { type: 'webrtc_offer'; offer: RTCSessionDescriptionInit }
  | { type: 'start_receiving'; stream_id?: string }
  | { type: 'webrtc_answer'; answer: RTCSessionDescriptionInit }
  | { type: 'get_available_streams' }
  | { type: 'stop_stream' };

/** What the relay says. */
export type ServerMessage =
  | { type: 'available_streams'; streams: string[] }
  | { type: 'sender_ready'; connection_id: string }
  | { type: 'webrtc_answer'; answer: RTCSessionDescriptionInit }
  | { type: 'webrtc_offer'; offer: RTCSessionDescriptionInit }
  | { type: 'stream_available'; stream_id: string }
  | { type: 'stream_ended'; stream_id: string }
  | { type: 'audio_data'; stream_id: string; timestamp: number; level: number }
  | { type: 'error'; message: string; code?: string };

const KNOWN = new Set<string>([
  'available_streams',
  'sender_ready',
  'webrtc_answer',
  'webrtc_offer',
  'stream_available',
  'stream_ended',
  'audio_data',
  'error',
] satisfies ServerMessage['type'][]);

/** Reads a frame; null for what other versions may say and we do not know. */
export function parseMessage(frame: unknown): ServerMessage | null {
  return readFrame(frame, KNOWN) as ServerMessage | null;
}

/** The words of streams, for a socket. */
export const STREAM_WORDS: Dialect<ClientMessage, ServerMessage> = {
  parse: parseMessage,
  lifeSign: { type: 'get_available_streams' },
};

/** Reads a frame whose type is one of these; null for any other. */
export function readFrame(frame: unknown, known: ReadonlySet<string>): object | null {
  if (typeof frame !== 'string') return null;
  try {
    const message = JSON.parse(frame) as { type?: unknown } | null;
    return typeof message?.type === 'string' && known.has(message.type) ? message : null;
  } catch {
    return null;
  }
}

/** The id of the stream that a sender's connection feeds. */
export function streamOf(connectionId: string): string {
  return `stream_${connectionId}`;
}
