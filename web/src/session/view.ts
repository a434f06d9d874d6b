// What a session shows of itself, at one moment.

import type { AudioDevices } from './devices';
import type { HearState } from './hearer';
import type { Problem } from './problem';
import type { TalkState } from './talker';

/** One stream as a person sees it. */
export interface StreamView {
  id: string;
  own: boolean;
  /** How the speaker is called; empty until the relay has told. */
  name: string;
  /** How many hear it, by WebRTC and by MP3; null until the relay has told. */
  listeners: number | null;
  /** `off`: not listened to. */
  state: HearState | 'off';
  /** dBov: -127 is silence, 0 the loudest. */
  level: number;
  volume: number;
}

/** Everything there is to show, at one moment. */
export interface SessionView {
  connected: boolean;
  talk: TalkState;
  /**
   * Why talking did not begin, or ended by itself. While `reconnecting`: `unplugged`, it goes on as soon as
   * there is a microphone. While `live`: why the microphone chosen last is not the one in use.
   */
  problem: Problem | null;
  /** By the microphone's own account. */
  microphone: 'off' | 'live';
  /** The microphone is open, and silence is sent. */
  muted: boolean;
  listening: boolean;
  streams: StreamView[];
  /** Port of the MP3 streams, once known. */
  mp3Port: number | null;
  /** What there is to choose from. */
  devices: AudioDevices;
}

/** One peer connection, for statistics. */
export interface ConnectionView {
  role: 'talk' | 'hear';
  streamId: string;
  peer: RTCPeerConnection;
}
