// What the relay tells of itself.

/** The answer of `/api/info`. */
export interface RelayInfo {
  version: string;
  uptime_seconds: number;
  http_port: number;
  /** Where the page is with TLS, if it is. */
  tls_port: number | null;
  mp3_port: number;
  media_addresses: string[];
  /** What whoever asks may do. */
  may: ('listen' | 'talk' | 'admin' | 'share' | 'urgent')[];
  /** How Home Assistant, or a link, calls this person. */
  name: string | null;
  /** Whether there is to be a Home Assistant, of which this person may know. */
  home_assistant: boolean;
  streams: number;
  clients: number;
}

/** One answer of the relay over HTTP. */
export interface Answer<Body> {
  body: Body;
  /** From asking until the answer was read. */
  milliseconds: number;
  /** The relay's clock less ours; null where it tells none. To the second, as HTTP has it. */
  clockDifference: number | null;
}

const PATIENCE_MS = 5_000;

/** Asks the relay; null when no answer comes that can be read. */
export async function askRelay<Body>(base: URL, path: 'api/info' | 'health'): Promise<Answer<Body> | null> {
  const began = performance.now();
  try {
    const response = await fetch(new URL(path, base), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
    const body = (await response.json()) as Body;
    const date = Date.parse(response.headers.get('date') ?? '');
    return { body, milliseconds: performance.now() - began, clockDifference: Number.isNaN(date) ? null : date - Date.now() };
  } catch {
    return null;
  }
}
