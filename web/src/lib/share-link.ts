// Links for others: what the relay is asked for, and the addresses that hold the token it gives.

import type { RelayInfo } from './relay-info';
import { hostOf, isLoopback } from './stream-addresses';

/** What a link is to permit. */
export interface LinkWish {
  scope: ('listen' | 'talk')[];
  name: string;
  days: number;
}

/** A link that was made. */
export interface SharedLink {
  /** For revoking it. */
  id: string;
  /** The page. */
  page: string;
  /** Whoever talks, for a media player. */
  player: string;
  expires: Date;
}

/** The answer of `POST /api/tokens`. */
interface Token {
  id: string;
  path: string;
  expires: number;
}

/** Makes a link. Fails with the relay's own sentence. */
export async function makeLink(base: URL, info: RelayInfo, { scope, name, days }: LinkWish): Promise<SharedLink> {
  const answer = await fetch(new URL('api/tokens', base), {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ scope, days, ...(name ? { name } : {}) }),
  });
  if (!answer.ok) throw new Error(await answer.text());
  const token = (await answer.json()) as Token;
  return { id: token.id, ...addresses(info, token.path, location.hostname), expires: new Date(token.expires * 1_000) };
}

/** Revokes a link. Fails with the relay's own sentence. */
export async function revokeLink(base: URL, id: string): Promise<void> {
  const answer = await fetch(new URL(`api/tokens/${id}`, base), { method: 'DELETE' });
  if (!answer.ok) throw new Error(await answer.text());
}

/** Where others find the relay: by its own address and ports, since this page may be part of Home Assistant's. */
export function addresses(info: RelayInfo, path: string, here: string): Pick<SharedLink, 'page' | 'player'> {
  const hosts = info.media_addresses.map(hostOf).filter((host) => !isLoopback(host));
  // Not every device knows IPv6.
  const host = hosts.find((address) => !address.startsWith('[')) ?? hosts[0] ?? here;
  // Only secure pages get a microphone.
  const page = info.tls_port ? `https://${host}:${info.tls_port}` : `http://${host}:${info.http_port}`;
  return { page: `${page}${path}`, player: `http://${host}:${info.mp3_port}${path}stream/latest.mp3` };
}
