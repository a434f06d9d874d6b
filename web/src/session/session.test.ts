import { describe, expect, it } from 'vitest';

import { decibelsOf, shareOfDecibels } from '../lib/loudness';
import { backoff } from './backoff';
import { DEFAULT_CHOICES, loadChoices } from './choices';
import { devicesOf } from './devices';
import { problemOf } from './microphone';
import { nominatedAtOnce } from './offering-peer';
import { ROOM_WORDS } from '../rooms/room-protocol';
import { socketUrl } from './signalling';

describe('back-off', () => {
  it('begins soon and never waits a second while somebody looks', () => {
    expect(backoff(0, false, 1)).toBeLessThanOrEqual(100);
    for (let attempt = 0; attempt < 100; attempt++) expect(backoff(attempt, false, 1)).toBeLessThan(1_000);
  });

  it('differs between tablets that lost the relay at the same moment', () => {
    expect(backoff(5, false, 0)).toBeLessThan(backoff(5, false, 1));
  });

  it('is patient while nobody looks', () => {
    expect(backoff(20, true, 1)).toBe(5_000);
  });
});

describe('messages', () => {
  it('are read by their type', () => {
    expect(ROOM_WORDS.parse('{"type":"talking","who":"x"}')).toEqual({ type: 'talking', who: 'x' });
  });

  it('of other versions, or of no version, are passed over', () => {
    for (const frame of ['', '1', 'null', '[]', '{', '{"type":"stream_ended"}', '{"type":1}', new ArrayBuffer(1)]) {
      expect(ROOM_WORDS.parse(frame)).toBeNull();
    }
  });
});

describe('the socket', () => {
  it('is next to the page, also below a path of somebody else', () => {
    expect(socketUrl(new URL('http://x:8080/'))).toBe('ws://x:8080/ws');
    expect(socketUrl(new URL('https://ha/api/hassio_ingress/token/'))).toBe('wss://ha/api/hassio_ingress/token/ws');
  });
});

describe('loudness', () => {
  it('fills the meter from silence to full scale', () => {
    expect(shareOfDecibels(-127)).toBe(0);
    expect(shareOfDecibels(-30)).toBeCloseTo(0.5);
    expect(shareOfDecibels(0)).toBe(1);
  });

  it('of a full square wave is zero decibels', () => {
    expect(decibelsOf(new Float32Array([1, -1, 1, -1]))).toBeCloseTo(0);
    expect(decibelsOf(new Float32Array(4))).toBeLessThan(-100);
  });
});

describe('choices', () => {
  const storage = (text: string | null) => ({ getItem: () => text });

  it('begin as usual, also where the browser keeps nothing', () => {
    expect(loadChoices(storage(null))).toEqual(DEFAULT_CHOICES);
    expect(loadChoices(null)).toEqual(DEFAULT_CHOICES);
  });

  it('come back, except for what cannot be read', () => {
    const kept = storage('{"name":"Anna","listensTo":"yes","volumes":null,"noiseSuppression":false,"older":1}');
    expect(loadChoices(kept)).toEqual({ ...DEFAULT_CHOICES, name: 'Anna', noiseSuppression: false });
    expect(loadChoices(storage('{'))).toEqual(DEFAULT_CHOICES);
  });

  it('of the time when there was one switch to listen go on', () => {
    expect(loadChoices(storage('{"listen":true}'))).toMatchObject({ joined: true, listensTo: ['home'] });
    expect(loadChoices(storage('{"listen":false}'))).toMatchObject({ joined: false, listensTo: [] });
    expect(loadChoices(storage('{"listen":true,"joined":true,"listensTo":["kitchen"]}'))).toMatchObject({ listensTo: ['kitchen'] });
  });
});

describe('a refused microphone', () => {
  it('is told apart by its reason', () => {
    const code = (name: string) => problemOf(new DOMException('why', name)).code;
    expect(['NotAllowedError', 'NotFoundError', 'NotReadableError', 'NewError'].map(code)).toEqual([
      'denied',
      'missing',
      'busy',
      'unknown',
    ]);
  });
});

describe('devices', () => {
  const device = (kind: MediaDeviceKind, deviceId: string, label = deviceId) => ({ kind, deviceId, label }) as MediaDeviceInfo;

  it('are offered once each, under their own names', () => {
    const all = [
      device('audioinput', 'default', 'Default - Headset'),
      device('audioinput', 'communications', 'Communications - Headset'),
      device('audioinput', 'a', 'Headset'),
      device('audioinput', 'a', 'Headset'),
      device('audiooutput', 'a', 'Headset'),
      device('videoinput', 'c', 'Camera'),
    ];
    expect(devicesOf('audioinput', all)).toEqual([{ id: 'a', label: 'Headset' }]);
    expect(devicesOf('audiooutput', all)).toEqual([{ id: 'a', label: 'Headset' }]);
  });

  it('without an id, before the first permission, are no choice', () => {
    expect(devicesOf('audioinput', [device('audioinput', '')])).toEqual([]);
  });
});

describe("the relay's answer", () => {
  it('no longer says that the relay is a lite agent, and says all else', () => {
    expect(nominatedAtOnce('v=0\r\na=ice-lite\r\na=setup:passive\r\n')).toBe('v=0\r\na=setup:passive\r\n');
    expect(nominatedAtOnce('v=0\r\na=ice-ufrag:ice-lite\r\n')).toBe('v=0\r\na=ice-ufrag:ice-lite\r\n');
  });
});
