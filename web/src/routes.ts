// Which view of the client an address means. Views live behind `#`, so that they work below any path.

/** A view of the client. */
export type Route = { view: 'home' } | { view: 'stream'; id: string } | { view: 'status' | 'trust' | 'share' };

/** Reads `location.hash`. What it does not know is home. */
export function routeOf(hash: string): Route {
  const [, view, id] = /^#\/(\w+)(?:\/([\w-]+))?$/.exec(hash) ?? [];
  if (view === 'stream' && id) return { view, id };
  if (view === 'status' || view === 'trust' || view === 'share') return { view };
  return { view: 'home' };
}

/** Writes what {@link routeOf} reads. */
export function hashOf(route: Route): string {
  if (route.view === 'stream') return `#/stream/${route.id}`;
  return route.view === 'home' ? '#/' : `#/${route.view}`;
}
