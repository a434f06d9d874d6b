import { expect, test } from 'vitest';

import { hashOf, routeOf, type Route } from './routes';

test('addresses and views mean one another', () => {
  const routes: Route[] = [{ view: 'home' }, { view: 'status' }, { view: 'trust' }, { view: 'share' }, { view: 'settings' }, { view: 'sounds' }, { view: 'homeassistant' }, { view: 'panel' }, { view: 'room', id: 'kitchen' }, { view: 'room', id: 'den', pin: '1234' }, { view: 'speaker', id: 'kitchen' }];
  for (const route of routes) expect(routeOf(hashOf(route))).toEqual(route);
  for (const other of ['', '#', '#/room', '#/rooms', '#/speaker/<x>', '#/x/y/z']) expect(routeOf(other)).toEqual({ view: 'home' });
  expect(routeOf('#/panel?name=Hall+tablet&key=1-2&rooms=home,kitchen')).toEqual({ view: 'panel' });
  for (const older of ['#/stream/latest', '#/stream/stream_0-1']) expect(routeOf(older)).toEqual({ view: 'speaker', id: 'home' });
});
