// What Home Assistant has of the relay, as the relay tells it.

/** The answer of `/api/home-assistant`. */
export interface HomeAssistant {
  /** Whether there is to be a link. */
  configured: boolean;
  /** Whether there is one just now. */
  linked: boolean;
  /** Whether Home Assistant can speak a text. */
  speech: boolean;
  /** The MQTT broker of its entities; null where there is none to be. */
  broker: { connected: boolean } | null;
  /** The node by which rooms are media players; null where there is none. */
  node: { port: number; onLan: boolean; connected: boolean } | null;
}

/** The same, as the relay tells it. */
interface HomeAssistantAnswer extends Omit<HomeAssistant, 'node'> {
  node: { port: number; on_lan: boolean; connected: boolean } | null;
}

/** Asks the relay. Throws the relay's refusal, or what `fetch` throws. */
export async function askHomeAssistant(base: URL, signal: AbortSignal): Promise<HomeAssistant> {
  const answer = await fetch(new URL('api/home-assistant', base), { cache: 'no-store', signal });
  if (!answer.ok) throw new Error(await answer.text());
  const { node, ...rest } = (await answer.json()) as HomeAssistantAnswer;
  return { ...rest, node: node && { port: node.port, onLan: node.on_lan, connected: node.connected } };
}

/** A doorbell of Home Assistant's, and who is called by it. */
export interface Doorbell {
  entity: string;
  name: string;
  /** Home Assistant would tell the relay if somebody pressed it now. */
  available: boolean;
  /** `everybody`, or ids of rooms and devices; nobody where it is empty. */
  to: string[];
}

/** Asks the relay, as {@link askHomeAssistant}. */
export async function listDoorbells(base: URL, signal: AbortSignal): Promise<Doorbell[]> {
  const answer = await fetch(new URL('api/doorbells', base), { cache: 'no-store', signal });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { doorbells: Doorbell[] }).doorbells;
}

/** Chooses who is called by a doorbell. Throws why that is not done, in the relay's words. */
export async function setDoorbell(base: URL, entity: string, to: readonly string[]): Promise<void> {
  const answer = await fetch(new URL(`api/doorbells/${entity}`, base), {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ to }),
  });
  if (!answer.ok) throw new Error(await answer.text());
}

/** What Home Assistant asks for when the node is added there by hand; null where it asks for nothing. Throws as {@link askHomeAssistant}. */
export async function askNodeKey(base: URL, signal: AbortSignal): Promise<string | null> {
  const answer = await fetch(new URL('api/home-assistant/node', base), { cache: 'no-store', signal });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { key: string | null }).key;
}

/** Has Home Assistant connect to the node. False: it had it before. Throws why it does not, in the relay's words. */
export async function connectHomeAssistant(base: URL): Promise<boolean> {
  const answer = await fetch(new URL('api/home-assistant/node', base), { method: 'POST' });
  if (!answer.ok) throw new Error(await answer.text());
  return ((await answer.json()) as { added: boolean }).added;
}
