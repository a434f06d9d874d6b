import { expect, test } from 'vitest';

import { hashOf, routeOf, type Route } from './routes';

test('addresses and views mean one another', () => {
  const routes: Route[] = [{ view: 'home' }, { view: 'status' }, { view: 'trust' }, { view: 'share' }, { view: 'rooms' }, { view: 'sounds' }, { view: 'room', id: 'kitchen' }, { view: 'stream', id: 'stream_0-1' }];
  for (const route of routes) expect(routeOf(hashOf(route))).toEqual(route);
  for (const other of ['', '#', '#/stream', '#/room', '#/stream/<x>', '#/x/y/z']) expect(routeOf(other)).toEqual({ view: 'home' });
});
