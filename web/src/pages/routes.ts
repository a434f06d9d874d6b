// Which view of the client an address means. Views live behind `#`, so that they work below any path.

/** A view of the client. */
export type Route = { view: 'home' } | { view: 'speaker'; id: string } | { view: 'room'; id: string; pin?: string } | { view: Simple };

/** Views that are of nothing in particular. */
type Simple = (typeof SIMPLE)[number];

const SIMPLE = ['status', 'trust', 'share', 'settings', 'sounds', 'calls', 'homeassistant', 'panel'] as const;

/** Reads `location.hash`. What it does not know is home. */
export function routeOf(hash: string): Route {
  const [, view, id, pin] = /^#\/(\w+)(?:\/([\w-]+))?(?:\?(?:pin=(\d+)$|.*))?$/.exec(hash) ?? [];
  if (view === 'speaker' && id) return { view, id };
  if (view === 'room' && id) return { view, id, ...(pin ? { pin } : {}) };
  // Of older links: the one to whoever talks.
  if (view === 'stream') return { view: 'speaker', id: 'home' };
  const simple = SIMPLE.find((one) => one === view);
  return { view: simple ?? 'home' };
}

/** Writes what {@link routeOf} reads. */
export function hashOf(route: Route): string {
  if (route.view === 'room' && route.pin) return `#/room/${route.id}?pin=${route.pin}`;
  if ('id' in route) return `#/${route.view}/${route.id}`;
  return route.view === 'home' ? '#/' : `#/${route.view}`;
}
