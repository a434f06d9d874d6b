// The words of calls (docs/protocol.md, "Calls") as types.

/** What came of a call. */
export type CallOutcome = 'answered' | 'declined' | 'missed' | 'cancelled' | 'busy';

/** One who is called, and how it goes there. */
export interface Callee {
  station: string;
  name: string;
  state: 'ringing' | 'answered' | 'declined' | 'stopped' | 'busy' | 'do_not_disturb' | 'away';
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

/** What we say. */
export type CallRequest =
  | { type: 'station'; name: string; key?: string; rooms: readonly string[] }
  | { type: 'ring'; to: readonly string[] }
  | { type: 'do_not_disturb'; passes?: 'urgent'; seconds?: number }
  | { type: 'answer_call'; call: string }
  | { type: 'hang_up'; call: string };

/** What the relay says. */
export type CallMessage =
  | { type: 'station'; id: string; name: string; key: string; calls: Call[] }
  | { type: 'call'; call: Call }
  | { type: 'station_removed' };

export const CALL_MESSAGES = ['station', 'call', 'station_removed'] as const satisfies readonly CallMessage['type'][];
