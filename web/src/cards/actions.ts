// What a tap or a hold of a tile does: something of the card's own, or an action of Home Assistant.

/** What a tile does by itself. */
export const OWN_ACTIONS = ['talk', 'listen', 'announce', 'ring', 'none'] as const;

export type OwnAction = (typeof OWN_ACTIONS)[number];

/** An action as Home Assistant's dashboards write it, such as `{action: navigate, navigation_path: /map}`. */
export type HassAction = Record<string, unknown> & { action: string };

export type TileAction = OwnAction | HassAction;

/** The action that was written, in short or as Home Assistant writes its own; null when it is none. */
export function readAction(written: unknown): TileAction | null {
  const name = typeof written === 'object' && written ? (written as Record<string, unknown>)['action'] : written;
  const own = OWN_ACTIONS.find((one) => one === name);
  if (own) return own;
  return typeof name === 'string' && typeof written === 'object' ? (written as HassAction) : null;
}

/** Has Home Assistant do this; an element asks it of the dashboard that it is in. */
export function askHass(element: HTMLElement, gesture: 'tap' | 'hold', action: HassAction): void {
  const detail = { config: { [`${gesture}_action`]: action }, action: gesture };
  element.dispatchEvent(new CustomEvent('hass-action', { bubbles: true, composed: true, detail }));
}
