// Why a card finds no way to the relay: told apart here, put into words in messages/card.ts.

/** What stands between a card and the relay. */
export type TroubleCode =
  /** A secure dashboard may not open plain addresses. */
  | 'mixed'
  /** The app is not there, or has another slug. */
  | 'notInstalled'
  /** The app is there, and does not run. */
  | 'notStarted'
  /** This person may not use the app's ingress. */
  | 'notAllowed'
  /** This Home Assistant has no apps at all. */
  | 'noApps'
  /** Nothing answers at the address. */
  | 'unreachable';

/** No way to the relay, and why; `detail` is a slug or an address. */
export class Trouble extends Error {
  constructor(
    readonly code: TroubleCode,
    readonly detail = '',
  ) {
    super(`${code} ${detail}`);
  }
}
