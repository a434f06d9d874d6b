import { expect, test } from 'vitest';

import { hearsStereo, MUSIC_BITS, takesStereo } from './stereo';

const media = (mid: string, more: string[] = ['a=fmtp:111 minptime=10;useinbandfec=1']) =>
  ['m=audio 9 UDP/TLS/RTP/SAVPF 111 0', `a=mid:${mid}`, 'a=rtpmap:111 opus/48000/2', ...more, 'a=rtpmap:0 PCMU/8000', ''].join('\r\n');

const description = (...parts: string[]) => ['v=0\r\ns=-\r\n', ...parts].join('');

const parameters = (sdp: string) => sdp.split(/^(?=m=)/m).slice(1).map((part) => /^a=fmtp:111 (.*)\r$/m.exec(part)?.[1] ?? '');

test('an offer hears stereo in the slots, and leaves what we send alone', () => {
  const offered = hearsStereo(description(media('0'), media('1'), media('2'), media('3')));
  const usual = 'minptime=10;useinbandfec=1';
  expect(parameters(offered)).toEqual([usual, usual, `${usual};stereo=1`, `${usual};stereo=1`]);
});

test('an answer takes music in stereo and at its full rate, and voices as ever', () => {
  const [voice, music, slot] = parameters(takesStereo(description(media('0'), media('1'), media('2'))));
  expect(voice).toBe('minptime=10;useinbandfec=1');
  expect(music).toBe(`minptime=10;useinbandfec=1;stereo=1;sprop-stereo=1;maxaveragebitrate=${MUSIC_BITS}`);
  expect(slot).toBe('minptime=10;useinbandfec=1');
});

test('what is said already is not said twice', () => {
  const once = hearsStereo(description(media('0'), media('1'), media('2', ['a=fmtp:111 stereo=0;minptime=10'])));
  expect(parameters(once)[2]).toBe('minptime=10;stereo=1');
  expect(hearsStereo(once)).toBe(once);
  const byItself = description(media('0'), media('1'), media('2', ['a=fmtp:111 stereo=1;useinbandfec=1']));
  expect(hearsStereo(byItself)).toBe(byItself);
});

test('Opus without parameters gets a line for them, and a description without Opus stays as it is', () => {
  const bare = hearsStereo(description(media('0'), media('1'), media('2', [])));
  expect(parameters(bare)[2]).toBe('stereo=1');
  expect(bare).toContain('a=rtpmap:111 opus/48000/2\r\na=fmtp:111 stereo=1\r\n');
  const other = description(media('0'), media('1'), 'm=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=rtpmap:0 PCMU/8000\r\n');
  expect(hearsStereo(other)).toBe(other);
});
