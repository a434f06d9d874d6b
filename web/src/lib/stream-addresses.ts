// The addresses at which media players find a stream, one for each kind of player (docs/players.md).

/** A family of players. */
export type PlayerKind = 'default' | 'browser' | 'close' | 'sonos' | 'cast' | 'esphome' | 'wav' | 'opus';

/** One address to give to a player. */
export interface PlayerAddress {
  kind: PlayerKind;
  url: string;
}

/** The beginning of every path for whoever came by a link with a token; players need it too. */
export function tokenPath(base: URL): string {
  return /^\/t\/[^/]+\//.exec(base.pathname)?.[0] ?? '/';
}

/** The addresses of one stream, or of `latest`, on the MP3 port of this host, below this path. */
export function playerAddresses(host: string, port: number, stream: string, path = '/'): PlayerAddress[] {
  const at = `${host}:${port}${path}stream/${stream}`;
  return [
    { kind: 'default', url: `http://${at}.mp3` },
    { kind: 'esphome', url: `http://${at}.mp3?profile=esphome` },
    { kind: 'cast', url: `http://${at}.mp3?profile=cast` },
    // Sonos takes a live stream for a file unless it comes under this scheme.
    { kind: 'sonos', url: `x-rincon-mp3radio://${at}.mp3?profile=sonos` },
    { kind: 'browser', url: `http://${at}.mp3?profile=browser` },
    { kind: 'close', url: `http://${at}.mp3?profile=close` },
    { kind: 'wav', url: `http://${at}.wav` },
    { kind: 'opus', url: `http://${at}.opus` },
  ];
}

/** Whether this host means the very machine that asks, so that other devices cannot use it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host.endsWith('.localhost') || host === '[::1]' || /^127(\.\d+){3}$/.test(host);
}

/** The host of an address such as `192.0.2.2:8082` or `[fd00::2]:8082`. */
export function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':'));
}
