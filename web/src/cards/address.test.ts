import { describe, expect, it } from 'vitest';

import { baseOf, isMixed, playerHost } from './address';

describe('the address of the relay', () => {
  it.each([
    ['ws://192.168.1.5:8080/ws', 'http://192.168.1.5:8080/'],
    ['wss://relay.home:8443/ws/', 'https://relay.home:8443/'],
    ['ws://relay', 'http://relay/'],
    ['192.168.1.5:8080', 'http://192.168.1.5:8080/'],
    ['homeassistant.local:8080/ws', 'http://homeassistant.local:8080/'],
    ['http://relay:8080', 'http://relay:8080/'],
    ['https://house.example/voice', 'https://house.example/voice/'],
    ['wss://house.example/voice/ws?x=1#y', 'https://house.example/voice/'],
    [' [fd00::1]:8080 ', 'http://[fd00::1]:8080/'],
  ])('may be written as %s', (written, base) => {
    expect(baseOf(written, false)?.href).toBe(base);
  });

  it('without a protocol is as secure as the dashboard', () => {
    expect(baseOf('relay:8443', true)?.href).toBe('https://relay:8443/');
  });

  it.each(['', 'ftp://x', 'http://', 'a b c', 'javascript:alert(1)'])('is not "%s"', (written) => {
    expect(baseOf(written, false)).toBeNull();
  });

  it('by plain http is out of reach of a secure dashboard, except on this machine', () => {
    expect(isMixed(new URL('http://relay:8080'), true)).toBe(true);
    expect(isMixed(new URL('http://localhost:8080'), true)).toBe(false);
    expect(isMixed(new URL('https://relay:8443'), true)).toBe(false);
    expect(isMixed(new URL('http://relay:8080'), false)).toBe(false);
  });
});

describe('media players find the relay', () => {
  const addresses = ['127.0.0.1:8082', '[fe80::1]:8082', '[fd00::5]:8082', '192.168.1.5:8082'];

  it('where the dashboard finds it', () => {
    expect(playerHost(new URL('http://192.168.1.9:8080/'), false, addresses)).toBe('192.168.1.9');
  });

  it('by its own address, where the dashboard has a name that they do not know', () => {
    for (const base of ['http://localhost:8080/', 'http://homeassistant.local:8080/']) {
      expect(playerHost(new URL(base), false, addresses)).toBe('192.168.1.5');
    }
    expect(playerHost(new URL('https://ha.example/api/hassio_ingress/x/'), true, addresses)).toBe('192.168.1.5');
  });

  it('as well as may be, where it tells no address', () => {
    expect(playerHost(new URL('http://localhost:8080/'), false, [])).toBe('localhost');
    expect(playerHost(new URL('http://localhost:8080/'), false, ['[fd00::5]:8082'])).toBe('[fd00::5]');
  });
});
