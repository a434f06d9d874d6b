// Addresses of the relay, as people write them and as players need them.

/** Where the relay lives, from what people write as `server_url`; null when it is no address. */
export function baseOf(written: string, secure = location.protocol === 'https:'): URL | null {
  const text = written.trim();
  // A path of this page's own host, such as one below ingress.
  if (text.startsWith('/')) return baseOf(location.origin + text, secure);
  const full = /^\w+:\/\//.test(text) ? text : `${secure ? 'https' : 'http'}://${text}`;
  const web = full.replace(/^ws(s?):/i, 'http$1:');
  if (!text || !/^https?:/i.test(web) || !URL.canParse(web)) return null;
  const url = new URL(web);
  url.search = url.hash = '';
  // The address of the WebSocket is the page's and `ws`.
  url.pathname = url.pathname.replace(/\/ws\/?$/, '/').replace(/\/?$/, '/');
  return url;
}

/** Whether browsers keep a page of this protocol from an address like this one (mixed content). */
export function isMixed(base: URL, secure = location.protocol === 'https:'): boolean {
  return secure && base.protocol === 'http:' && !isLoopback(base.hostname);
}

/**
 * The host under which a media player finds the relay. Players know no `.local` names, and not what a browser
 * calls localhost; through ingress the page's host is Home Assistant's. There the relay's own address serves.
 */
export function playerHost(base: URL, throughIngress: boolean, mediaAddresses: readonly string[]): string {
  if (!throughIngress && !isLoopback(base.hostname) && !base.hostname.endsWith('.local')) return base.hostname;
  const hosts = mediaAddresses.map((address) => new URL(`http://${address}`).hostname);
  const usable = hosts.filter((host) => !isLoopback(host) && !host.startsWith('[fe80'));
  return usable.find((host) => !host.startsWith('[')) ?? usable[0] ?? base.hostname;
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
