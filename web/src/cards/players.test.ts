import { beforeEach, describe, expect, it } from 'vitest';

import { TargetPlayers } from './players';

const settle = () => new Promise((resolve) => setTimeout(resolve, 0));

describe('media players', () => {
  let calls: string[];
  let players: TargetPlayers;
  const address = (url: string) => () => Promise.resolve(url);

  beforeEach(() => {
    calls = [];
    const call = (_domain: string, service: string, data: Record<string, unknown>) => {
      calls.push([service, data['media_content_id']].filter(Boolean).join(' '));
      return Promise.resolve();
    };
    players = new TargetPlayers(['media_player.kitchen'], call, () => undefined);
  });

  it('play once and stop once, however often they are told', async () => {
    for (let i = 0; i < 3; i++) players.play('a', address('u'));
    await settle();
    for (let i = 0; i < 3; i++) players.stop();
    await settle();
    expect(calls).toEqual(['play_media u', 'media_stop']);
  });

  it('go on with the stream that follows after a lost connection', async () => {
    players.play('a', address('u'));
    players.play('b', address('v'));
    await settle();
    players.stop();
    await settle();
    expect(calls.slice(-2)).toEqual(['play_media v', 'media_stop']);
  });

  it('are left alone when the talk is over before it was clear what to play', async () => {
    players.play('a', address('u'));
    players.stop();
    await settle();
    expect(calls).toEqual([]);
  });

  it('are told to stop after they were told to play, also when that takes long', async () => {
    let answer = () => {};
    const slow = (_domain: string, service: string) => {
      calls.push(service);
      return service === 'play_media' ? new Promise<void>((resolve) => (answer = resolve)) : Promise.resolve();
    };
    players = new TargetPlayers(['media_player.kitchen'], slow, () => undefined);
    players.play('a', address('u'));
    await settle();
    players.stop();
    await settle();
    expect(calls).toEqual(['play_media']);
    answer();
    await settle();
    expect(calls).toEqual(['play_media', 'media_stop']);
  });

  it('that refuse are reported', async () => {
    const refused: unknown[] = [];
    const refuse = () => Promise.reject(new Error('offline'));
    players = new TargetPlayers(['media_player.kitchen'], refuse, (error) => refused.push(error));
    players.play('a', address('u'));
    await settle();
    expect(refused).toEqual([new Error('offline')]);
  });
});
