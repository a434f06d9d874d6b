import { describe, expect, it, vi } from 'vitest';

import { readFeature, readReceivingCard, readRelayCard, readSendingCard } from './config';
import { featureForm, relayForm, sendingForm, type Field } from './form';

vi.stubGlobal('location', new URL('http://homeassistant.local:8123/lovelace/0'));

describe('a configuration', () => {
  it('needs nothing', () => {
    expect(readRelayCard({ type: 'custom:voice-relay-card' })).toMatchObject({ mode: 'room', server: null, title: null });
  });

  it('of an existing sending card is read as it is', () => {
    const card = readSendingCard({
      title: 'Talk',
      name: 'Anna',
      server_url: 'ws://192.168.1.5:8080/ws',
      stream_url: 'http://192.168.1.5:8081/stream/latest.mp3',
      target_media_player: 'media_player.kitchen',
      auto_start: true,
      noise_suppression: false,
      something_else: { of: 'another version' },
    });
    expect(card).toMatchObject({
      mode: 'talk',
      title: 'Talk',
      name: 'Anna',
      mediaPlayers: ['media_player.kitchen'],
      autoTalk: true,
      noiseSuppression: false,
      echoCancellation: true,
    });
    expect(card.server?.href).toBe('http://192.168.1.5:8080/');
  });

  it('may name a room, by its id', () => {
    expect(readRelayCard({ room: 'kitchen', pin: 1234 })).toMatchObject({ room: 'kitchen', pin: '1234' });
    expect(readSendingCard({})).toMatchObject({ room: '', pin: '' });
    expect(() => readRelayCard({ room: '../kitchen' })).toThrow('room must be the id of a room');
  });

  it('may name a path below ingress', () => {
    const { server } = readReceivingCard({ server_url: '/api/hassio_ingress/token/ws' });
    expect(server?.href).toBe('http://homeassistant.local:8123/api/hassio_ingress/token/');
  });

  it('of an existing receiving card is read as it is', () => {
    const card = readReceivingCard({ name: 'Kitchen', auto_play: true, volume_boost: '2.5' });
    expect(card).toMatchObject({ mode: 'listen', title: 'Kitchen', autoListen: true, volumeBoost: 2.5 });
  });

  it('has empty values where the editor has emptied a field', () => {
    const card = readRelayCard({ server_url: '', target_media_player: [], title: '', name: null });
    expect(card).toMatchObject({ server: null, mediaPlayers: [], title: '', name: '' });
  });

  it.each([
    [undefined, 'no options'],
    [{ mode: 'loud' }, 'mode must be one of tile, room, talk, listen, compact. It is "loud"'],
    [{ server_url: 'ftp://x' }, 'server_url'],
    [{ server_url: 'http://' }, 'server_url'],
    [{ target_media_player: 'light.kitchen' }, 'target_media_player'],
    [{ target_media_player: [1] }, 'target_media_player'],
    [{ auto_listen: 'yes' }, 'auto_listen must be true or false'],
    [{ volume_boost: 'loud' }, 'volume_boost'],
    [{ title: {} }, 'title must be a text'],
    [{ tap_action: 'shout' }, 'tap_action must be one of talk, listen, announce, ring, none, or an action of Home Assistant'],
    [{ hold_action: { navigation_path: '/map' } }, 'hold_action must be one of'],
    [{ buttons: ['talk', 'mute'] }, 'buttons must be a list of listen, talk, announce, ring'],
  ])('that is wrong is refused in words: %j', (written, words) => {
    expect(() => readRelayCard(written)).toThrow(words);
  });
});

describe('a tile', () => {
  it('says what a tap and a hold do, and which buttons there are', () => {
    expect(readRelayCard({ mode: 'tile' })).toMatchObject({ tap: 'listen', hold: 'talk', buttons: ['listen', 'talk', 'announce'], icon: '' });
    const map = { action: 'navigate', navigation_path: '/map' };
    expect(readRelayCard({ mode: 'tile', icon: 'mdi:sofa', tap_action: map, hold_action: { action: 'announce' }, buttons: 'talk' })).toMatchObject({
      icon: 'mdi:sofa',
      tap: map,
      hold: 'announce',
      buttons: ['talk'],
    });
    expect(readFeature({ type: 'custom:voice-relay-feature', room: 'kitchen', buttons: [] })).toMatchObject({ mode: 'feature', room: 'kitchen', buttons: [] });
  });
});

describe('the editor', () => {
  const names = (fields: Field[]): string[] => fields.flatMap(({ name, schema }) => (schema ? names(schema) : [name]));

  it('has a label for every field, and each field is an option that can be read', () => {
    for (const form of [relayForm(readRelayCard), sendingForm(readSendingCard), featureForm(readFeature)]) {
      for (const name of names(form.schema)) expect(form.computeLabel({ name })).toBeTruthy();
      expect(new Set(names(form.schema)).size).toBe(names(form.schema).length);
    }
  });

  it('gives way to YAML where it cannot show what is written', () => {
    const { assertConfig } = relayForm(readRelayCard);
    expect(() => {
      assertConfig({ mode: 'talk' });
    }).not.toThrow();
    expect(() => {
      assertConfig({ mode: 'loud' });
    }).toThrow('mode');
    expect(() => {
      assertConfig({ mode: 'tile', tap_action: { action: 'navigate', navigation_path: '/map' } });
    }).toThrow('YAML');
  });
});
