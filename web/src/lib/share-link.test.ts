import { expect, test } from 'vitest';

import type { RelayInfo } from './relay-info';
import { addresses } from './share-link';

const info = (more: Partial<RelayInfo>): RelayInfo => ({
  version: '1',
  uptime_seconds: 1,
  http_port: 8080,
  tls_port: null,
  mp3_port: 8081,
  media_addresses: ['127.0.0.1:8082', '[fd00::5]:8082', '192.168.1.5:8082'],
  may: [],
  name: null,
  home_assistant: false,
  streams: 0,
  clients: 0,
  ...more,
});

test('a link names the relay by an address of the house, and the page is secure where it can be', () => {
  expect(addresses(info({}), '/t/x/', 'localhost')).toEqual({
    page: 'http://192.168.1.5:8080/t/x/',
    player: 'http://192.168.1.5:8081/t/x/stream/latest.mp3',
  });
  expect(addresses(info({ tls_port: 8443 }), '/t/x/', 'localhost').page).toBe('https://192.168.1.5:8443/t/x/');
});

test('without such an address the host of this page has to do', () => {
  expect(addresses(info({ media_addresses: ['127.0.0.1:1'] }), '/t/x/', 'relay.lan').page).toBe('http://relay.lan:8080/t/x/');
});
