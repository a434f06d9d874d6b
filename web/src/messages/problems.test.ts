import { expect, test } from 'vitest';

import { deviceOf, problemInWords, waysOut, type Place } from './problems';

const place: Place = { page: new URL('http://192.168.1.5:8080/'), tlsPort: null, userAgent: '' };
const addresses = (other: Partial<Place>) => waysOut('insecure', { ...place, ...other }).map(({ address }) => address);

test('devices are told apart by where they keep permissions', () => {
  const chrome = 'AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0';
  expect(deviceOf(`Mozilla/5.0 (Linux; Android 10; K) ${chrome} Mobile Safari/537.36`)).toBe('android');
  expect(deviceOf('Mozilla/5.0 (Android 15; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0')).toBe('android');
  expect(deviceOf(`Mozilla/5.0 (X11; Linux x86_64) ${chrome} Safari/537.36`)).toBe('chrome');
  expect(deviceOf('Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0')).toBe('firefox');
  const apple = 'AppleWebKit/605.1.15 (KHTML, like Gecko)';
  expect(deviceOf(`Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${apple} Version/18.5 Mobile/15E148 Safari/604.1`)).toBe('ios');
  expect(deviceOf(`Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) ${apple} CriOS/140.0 Mobile/15E148 Safari/604.1`)).toBe('ios');
  expect(deviceOf(`Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) ${apple} Version/18.5 Safari/605.1.15`)).toBe('safari');
});

test('from an insecure page the ways are the secure address, if there is one, and this machine', () => {
  expect(addresses({})).toEqual(['http://localhost:8080/', undefined]);
  expect(addresses({ tlsPort: 8443 }).slice(0, 2)).toEqual(['https://192.168.1.5:8443/', 'http://192.168.1.5:8080/#/trust']);
  expect(addresses({ page: new URL('http://relay.home/') })).toContain('http://localhost/');
});

test('a frame is left by an own tab, and a refusal undone on this device', () => {
  expect(waysOut('framed', place).map(({ address }) => address)).toEqual([place.page.href]);
  expect(waysOut('denied', { ...place, userAgent: 'iPhone' })[0]?.words).toContain('Website Settings');
  expect(waysOut('busy', place)).toEqual([]);
});

test('what the relay says is passed on', () => {
  expect(problemInWords({ code: 'refused', detail: 'full' })).toBe('The relay said: full');
});
