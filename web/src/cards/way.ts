// Which way a card takes to the relay: the address it was given, Home Assistant's ingress, or the host that the
// card itself came from.

import { isMixed } from './address';
import type { Hass } from './hass';
import { throughIngress, type Way } from './ingress';
import { Trouble } from './trouble';

/** Where this module came from: the relay, when the relay serves it. */
const HOME = new URL(/* @vite-ignore */ '.', import.meta.url);

/** A choice of way; cards with the same key share a connection. */
export interface Route {
  key: string;
  find: () => Promise<Way>;
}

/** The way for a card with this configuration; `hass` is undefined on pages outside Home Assistant. */
export function routeTo(server: URL | null, slug: string, hass: Hass | undefined): Route {
  const call = hass?.callWS;
  if (server) return { key: server.href, find: () => direct(server) };
  if (!hass || !call) return { key: HOME.href, find: () => direct(HOME) };
  return { key: `ingress:${slug}`, find: () => throughIngress(hass, call, slug).catch((error: unknown) => fromHome(error)) };
}

function direct(base: URL): Promise<Way> {
  if (isMixed(base)) return Promise.reject(new Trouble('mixed', base.origin));
  return Promise.resolve({ base, throughIngress: false, close: () => undefined });
}

/** Home Assistant knows no app of ours. When the card came from elsewhere, the relay may be there. */
async function fromHome(error: unknown): Promise<Way> {
  if (HOME.origin === location.origin) throw error;
  const way = await direct(HOME);
  const answer = await fetch(new URL('health', HOME)).catch(() => null);
  if (!answer) throw error;
  return way;
}
