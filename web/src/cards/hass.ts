// What a card uses of Home Assistant's `hass` object. Every part may be absent: cards also live on plain pages.

/** The parts of Home Assistant's frontend that cards use. */
export interface Hass {
  callWS?: <Result>(message: { type: string } & Record<string, unknown>) => Promise<Result>;
  callService?: (domain: string, service: string, data: Record<string, unknown>) => Promise<unknown>;
  language?: string;
  locale?: { language?: string };
  themes?: { darkMode?: boolean };
  /** Entries of the sidebar, by address; an app's own is named after its slug. */
  panels?: Record<string, unknown>;
  user?: { name?: string };
}

/** The code and the words of a refused call; Home Assistant rejects with plain objects. */
export function refusalOf(error: unknown): { code: string; message: string } {
  const { code, message } = (typeof error === 'object' && error ? error : {}) as { code?: unknown; message?: unknown };
  return { code: typeof code === 'string' ? code : '', message: typeof message === 'string' ? message : String(error) };
}
