// What a player can be at, and what can be wrong.

/** `reconnecting` also means that there is nothing left to be heard meanwhile. */
export type PlayState = 'stopped' | 'buffering' | 'playing' | 'paused' | 'reconnecting' | 'failed';

/** Why it has `failed`: the relay's codes, and our own. */
export type PlayProblem = 'gone' | 'unreadable' | 'undecodable' | 'other';

const PROBLEMS: Record<string, PlayProblem> = { no_file: 'gone', gone: 'gone', unreadable: 'unreadable' };

/** What an error of the relay means for whoever wants to hear something. */
export function problemOf(code: string): PlayProblem {
  return PROBLEMS[code] ?? 'other';
}
