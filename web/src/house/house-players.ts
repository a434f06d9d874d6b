// The media players of Home Assistant, where the relay is linked to one.

/** A player on which something can be announced. */
export interface HousePlayer {
  /** As Home Assistant names it. */
  entity: string;
  name: string;
  /** Where it is; empty where nobody says. */
  area: string;
  /** Whether it is reachable just now. */
  isThere: boolean;
  /** From 0 to 1; null where it does not tell. */
  volume: number | null;
}

/** All that can be used of Home Assistant for an announcement. */
export interface HousePlayers {
  players: readonly HousePlayer[];
  /** Whether a text can be spoken. */
  speech: boolean;
}

export const NO_PLAYERS: HousePlayers = { players: [], speech: false };

interface PlayersAnswer {
  speech: boolean;
  players: { entity_id: string; name: string; area: string | null; state: string; volume: number | null }[];
}

/** Asks the relay for them. Throws what `fetch` throws; whoever may not know of them gets none. */
export async function listPlayers(base: URL, signal: AbortSignal): Promise<HousePlayers> {
  const answer = await fetch(new URL('api/players', base), { cache: 'no-store', signal });
  if (!answer.ok) return NO_PLAYERS;
  const { speech, players } = (await answer.json()) as PlayersAnswer;
  return {
    speech,
    players: players.map(({ entity_id, name, area, state, volume }) => ({ entity: entity_id, name, area: area ?? '', isThere: state !== 'unavailable', volume })),
  };
}
