// What a device shows of calls, at one moment.

import type { Call } from './call-protocol';

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

/** Everything there is to show of calls. */
export interface CallsView {
  current: CurrentCall | null;
  /** The call of ours that has just ended without an answer. */
  ended: Call | null;
  /** Newest first. */
  missed: readonly Call[];
  /** Why a call was not begun: the protocol's code. */
  refusal: string | null;
}

export const NO_CALLS: CallsView = { current: null, ended: null, missed: [], refusal: null };

/** With whom this station talks in a call that was answered. */
export function partnerOf(call: Call, own: string | undefined): string {
  return call.from.station === own ? (call.to.find(({ station }) => station === call.by)?.name ?? '') : call.from.name;
}
