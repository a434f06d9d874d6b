// Which view of the client an address means. Views live behind `#`, so that they work below any path.

/** A view of the client. */
export type Route = { view: 'home' } | { view: 'stream' | 'room'; id: string } | { view: Simple };

/** Views that are of nothing in particular. */
type Simple = (typeof SIMPLE)[number];

const SIMPLE = ['status', 'trust', 'share', 'rooms', 'sounds'] as const;

/** Reads `location.hash`. What it does not know is home. */
export function routeOf(hash: string): Route {
  const [, view, id] = /^#\/(\w+)(?:\/([\w-]+))?$/.exec(hash) ?? [];
  if ((view === 'stream' || view === 'room') && id) return { view, id };
  const simple = SIMPLE.find((one) => one === view);
  return { view: simple ?? 'home' };
}

/** Writes what {@link routeOf} reads. */
export function hashOf(route: Route): string {
  if ('id' in route) return `#/${route.view}/${route.id}`;
  return route.view === 'home' ? '#/' : `#/${route.view}`;
}
