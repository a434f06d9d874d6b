import { expect, test } from 'vitest';

import { deviceOf, secureAddress, type TrustFacts } from './trust';

const facts = (names: string[]): TrustFacts => ({ tls_port: 8443, certificate: { names, ends: 0 }, authority: null });

test('the device at hand is known by what its browser says', () => {
  for (const [userAgent, touchPoints, device] of [
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1', 5, 'ios'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15', 5, 'ios'],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Version/18.0 Safari/605.1.15', 0, 'mac'],
    ['Mozilla/5.0 (Linux; Android 10; K) Chrome/156.0.0.0 Mobile Safari/537.36', 5, 'android'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/156.0.0.0 Safari/537.36', 0, 'windows'],
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0', 0, 'firefox'],
    ['Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0 Safari/537.36', 0, 'linux'],
  ] as const) {
    expect(deviceOf(userAgent, touchPoints), userAgent).toBe(device);
  }
});

test('https is offered under the name that the page was opened by, if the certificate has it', () => {
  const home = facts(['kitchen.local', 'localhost', '192.168.1.5', 'fd00::5', '127.0.0.1']);
  expect(secureAddress(home, 'kitchen.local')).toBe('https://kitchen.local:8443/');
  expect(secureAddress(home, '[fd00::5]')).toBe('https://[fd00::5]:8443/');
  expect(secureAddress(home, 'localhost')).toBe('https://localhost:8443/');
  expect(secureAddress(home, 'abc.ui.nabu.casa')).toBe('https://192.168.1.5:8443/');
});

test('a certificate from elsewhere is offered by its own name', () => {
  expect(secureAddress(facts(['*.example.org', 'home.example.org']), '192.168.1.5')).toBe(
    'https://home.example.org:8443/',
  );
  expect(secureAddress(facts(['*.example.org']), '192.168.1.5')).toBe('https://192.168.1.5:8443/');
});

test('without https there is no address', () => {
  expect(secureAddress({ tls_port: null, certificate: null, authority: null }, 'localhost')).toBeNull();
});
