// What a device shows of calls, at one moment.

import type { Call, QuietHours, VoiceMessage } from './call-protocol';

/** What we have to do with a call that is not over. */
export type CallRole =
  /** We call, and nobody has answered. */
  | 'calling'
  /** It rings here. */
  | 'called'
  /** We talk. */
  | 'talking';

/** A call that we have to do with just now. */
export interface CurrentCall {
  call: Call;
  role: CallRole;
}

/** How far a message is that is said here. */
export type RecordingStage = 'opening' | 'recording' | 'sending' | 'sent' | 'failed';

/** A message that is said here, or was a moment ago. */
export interface RecordingView {
  /** For whom, and how people call them. */
  to: string;
  name: string;
  stage: RecordingStage;
  /** Since when, in milliseconds since 1970. */
  began: number;
  /** How long it may be. */
  seconds: number;
  /** Why it failed: a code of the protocol's, of the microphone's, or `connection`. */
  reason: string;
}

/** Everything there is to show of voice messages. */
export interface MailboxView {
  /** Those for this device, its rooms and everybody; newest first. */
  messages: readonly VoiceMessage[];
  /** Those that nobody has heard, and of which nobody here knows yet. */
  unseen: number;
  recording: RecordingView | null;
}

/** Everything there is to show of calls. */
export interface CallsView {
  current: CurrentCall | null;
  /** The call of ours that has just ended without an answer. */
  ended: Call | null;
  /** For whom that was: `everybody`, or the id of a room or device. */
  rung: string | null;
  /** Newest first. */
  missed: readonly Call[];
  /** Why a call was not begun: the protocol's code. */
  refusal: string | null;
  /** The quiet hours that this device was given last. */
  quietHours: QuietHours | null;
}

export const NO_CALLS: CallsView = { current: null, ended: null, rung: null, missed: [], refusal: null, quietHours: null };

export const NO_MESSAGES: MailboxView = { messages: [], unseen: 0, recording: null };

/** With whom this station talks in a call that was answered. */
export function partnerOf(call: Call, own: string | undefined): string {
  return call.from.station === own ? (call.to.find(({ station }) => station === call.by)?.name ?? '') : call.from.name;
}
