// Why we cannot talk: told apart here, put into words by whoever shows it.

/** What stands between a person and the microphone, or the relay. */
export type ProblemCode =
  /** The page came by plain HTTP; browsers open microphones on secure pages only. */
  | 'insecure'
  /** The page is in a frame of another site that does not pass the microphone on. */
  | 'framed'
  /** This browser gives pages no microphone at all. */
  | 'unsupported'
  /** The person, now or earlier, or the system's settings said no. */
  | 'denied'
  /** The page's own address forbids it (Permissions-Policy). */
  | 'policy'
  /** There is no microphone. */
  | 'missing'
  /** Another program holds the microphone. */
  | 'busy'
  /** The microphone went away while it was open. */
  | 'unplugged'
  /** The relay was out of reach for longer than the microphone is held open. */
  | 'lost'
  /** The relay said no; `detail` is its own message. */
  | 'refused'
  /** None of these; `detail` is what the browser said. */
  | 'unknown';

/** One reason why talking did not begin, or ended. */
export interface Problem {
  code: ProblemCode;
  detail: string;
}
