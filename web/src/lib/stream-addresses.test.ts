import { expect, test } from 'vitest';

import { hostOf, isLoopback, playerAddresses } from './stream-addresses';

test('every player has an address of its own, on the port that is given', () => {
  const addresses = playerAddresses('relay.local', 8_081, 'latest');
  expect(new Set(addresses.map(({ url }) => url)).size).toBe(addresses.length);
  for (const { url } of addresses) expect(url).toContain('://relay.local:8081/stream/latest.');
  expect(addresses.find(({ kind }) => kind === 'sonos')?.url).toBe('x-rincon-mp3radio://relay.local:8081/stream/latest.mp3?profile=sonos');
});

test('addresses that mean only this machine are known', () => {
  for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '[::1]']) expect(isLoopback(host)).toBe(true);
  for (const host of ['192.0.2.2', 'relay.local', '[fd00::2]', '127.example.org']) expect(isLoopback(host)).toBe(false);
});

test('hosts are read from addresses of both families', () => {
  expect(hostOf('192.0.2.2:8082')).toBe('192.0.2.2');
  expect(hostOf('[fd00::2]:8082')).toBe('[fd00::2]');
});
