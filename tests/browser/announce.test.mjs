// An announcement as Chromium plays it: its chime, then what is announced, in a room and by the older protocol, beside a
// player's MP3. The loudspeaker of the machine itself is in tests/announce.rs.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { comeInside, untilTalking } from './rooms.mjs';
import { powerAt } from './sound.mjs';

/** The two bells of the daemon's own doorbell, in Hz, and the tone that is announced. */
const [DING, DONG, TONE] = [659.3, 523.3, 1_000];

/** Samples in a tenth of a second. */
const TENTH = 4_800;

let folder, browser, daemon;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-announce-'));
  const flags = ['--tls-mode=off', '--files-folders=auto', `--data-dir=${folder}`];
  [daemon, browser] = await Promise.all([startDaemon(undefined, undefined, flags), startBrowser()]);
  // A folder that is there already gets no chimes; this one the daemon watches.
  await untilThereIs('ding-dong.wav');
  const tone = ['synth', '1', 'sine', String(TONE), 'gain', '-6'];
  execFileSync('sox', ['-n', '-r', '22050', '-c', '1', '-b', '16', join(folder, 'sounds', 'dinner.wav'), ...tone]);
  await untilThereIs('dinner.wav');
});

after(async () => {
  await browser.close();
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

/** What the daemon answers there; with a wish, to what is posted there. */
async function api(path, wish) {
  const post = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(wish) };
  return (await fetch(`${daemon.url}api/${path}`, wish && post)).json();
}

/** Waits until the library knows this file. */
const untilThereIs = (name) => until(async () => (await api('files')).files.some((file) => file.name === `sounds/${name}`));

/** Waits until this holds. */
async function until(holds, limit = Date.now() + 15_000) {
  while (!(await holds())) {
    assert.ok(Date.now() < limit, `not in time: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** From now on this tab keeps what it plays, also of streams that are yet to come. */
async function listenIn(tab) {
  await tab.evaluate(async () => {
    const context = new AudioContext({ sampleRate: 48_000 });
    const tap = context.createScriptProcessor(4_096, 1, 1);
    window.heard = [];
    const running = new Promise((resolve) => {
      tap.onaudioprocess = ({ inputBuffer }) => {
        for (const sample of inputBuffer.getChannelData(0)) window.heard.push(Math.round(sample * 32_767));
        resolve();
      };
    });
    tap.connect(context.destination);
    const tapped = new Set();
    setInterval(() => {
      for (const { audio } of window.voiceRelay.rooms.flatMap(({ ears }) => [...ears.slots.values()])) {
        if (!audio.srcObject || tapped.has(audio.srcObject)) continue;
        tapped.add(audio.srcObject);
        context.createMediaStreamSource(audio.srcObject).connect(tap);
      }
    }, 5);
    await running;
  });
}

/** What the tab has kept, once it has been silent for half a second. */
async function heardIn(tab) {
  const isSilent = () => window.heard.slice(-24_000).every((sample) => Math.abs(sample) < 300);
  await tab.waitForFunction(isSilent, undefined, { polling: 50, timeout: 15_000 });
  return Float64Array.from(await tab.evaluate(() => window.heard));
}

/** A player of the room, from now on: `end` gives what it has heard. */
async function startPlayer() {
  const stop = new AbortController();
  const url = `${daemon.url.replace(`:${daemon.ports.http}`, `:${daemon.ports.mp3}`)}stream/room/home.mp3`;
  const { body } = await fetch(url, { signal: stop.signal });
  const pieces = [];
  const reading = (async () => {
    for await (const piece of body) pieces.push(piece);
  })().catch((error) => assert.equal(error.name, 'AbortError'));
  const length = () => pieces.reduce((sum, piece) => sum + piece.length, 0);
  return {
    async end() {
      // Two seconds of it at 128 kbit/s: a player is behind.
      const enough = length() + 32_000;
      await until(() => length() > enough);
      stop.abort();
      await reading;
      const decode = ['-loglevel', 'fatal', '-i', '-', '-f', 's16le', '-ac', '1', '-ar', '48000', '-'];
      const pcm = execFileSync('ffmpeg', decode, { input: Buffer.concat(pieces), maxBuffer: 1 << 28 });
      return Float64Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(index * 2));
    },
  };
}

/** The tone that a tenth of a second is full of, if any. */
function toneOf(samples) {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0);
  if (power / samples.length < 500 ** 2) return undefined;
  return [DING, DONG, TONE].find((tone) => (powerAt(tone, samples) * 2) / power > 0.6);
}

/** What was heard one after another, and how many tenths of a second of each. */
function inTurn(samples) {
  const turns = [];
  for (let at = 0; at + TENTH <= samples.length; at += TENTH) {
    const tone = toneOf(samples.subarray(at, at + TENTH));
    if (!tone) continue;
    if (turns.at(-1)?.tone === tone) turns.at(-1).tenths += 1;
    else turns.push({ tone, tenths: 1 });
  }
  return turns;
}

/** These were heard, and nothing else; what was announced, whole. */
function assertHeard(who, samples, tones) {
  const turns = inTurn(samples);
  console.log(`${who}: ${turns.map(({ tone, tenths }) => `${tone} Hz for ${tenths / 10} s`).join(', ')}`);
  assert.deepEqual(turns.map(({ tone }) => tone), tones, who);
  // A tenth at either end belongs to both sides; concealment on a busy machine may add one.
  const { tenths } = turns.at(-1);
  assert.ok(tenths >= 8 && tenths <= 11, `${who}: ${tenths} tenths of a second`);
}

test('an announcement with its chime is heard in a room, by the older protocol, and by a player', async () => {
  const guest = await comeInside(browser, daemon.url, 'home', { name: 'Anna' });
  const listener = await openPage(browser, daemon.url);
  await listener.click('#listen');
  const player = await startPlayer();
  await Promise.all([guest, listener].map(listenIn));
  const { id } = await api('announce', { room: 'home', file: 'dinner', chime: 'ding-dong', name: 'Dinner' });
  await Promise.all([untilTalking(guest, ['Dinner']), untilHeard(listener, 1)]);
  await until(async () => (await api(`announce/${id}`)).state === 'played');
  assertHeard('in the room', await heardIn(guest), [DING, DONG, TONE]);
  // Who listens by the older protocol connects when there is somebody to hear, and may miss the first bell.
  const heard = await heardIn(listener);
  assertHeard('by the older protocol', heard, [DING, DONG, TONE].slice(inTurn(heard).length === 2 ? 1 : 0));
  assertHeard('as MP3', await player.end(), [DING, DONG, TONE]);
  await Promise.all([untilTalking(guest, []), untilHeard(listener, 0)]);
  await closeTabs(browser);
});

test('what is announced from the page is urgent if somebody says so, and the next is as usual again', async () => {
  const page = await openPage(browser, daemon.url, { name: 'Anna', listensTo: ['home'] });
  const urgent = () => page.evaluate(() => window.voiceRelay.view.heard.map(({ person }) => person.urgent));
  await page.click('#announce');
  await page.locator('announce-sheet #urgent').check();
  for (const wanted of [true, false]) {
    await page.click('announce-sheet [data-chime=gong]');
    await page.waitForFunction(() => window.voiceRelay.view.heard.length === 1);
    assert.deepEqual(await urgent(), [wanted]);
    await page.click('announce-sheet #again');
    await page.waitForFunction(() => window.voiceRelay.view.heard.length === 0);
  }
  await closeTabs(browser);
});

test('whoever talks is turned down in the page for what is urgent, and not for what is not', async () => {
  const anna = await comeInside(browser, daemon.url, 'home', { name: 'Anna' });
  const listener = await openPage(browser, daemon.url, { name: 'Hall', listensTo: ['home'] });
  await anna.evaluate(() => void window.voiceRelay.talk('home'));
  await listener.waitForFunction(() => window.voiceRelay.view.heard.some(({ person }) => person.name === 'Anna'));
  /** The least and the greatest of the slots' volumes while this is announced. */
  const volumes = async (priority) => {
    const { id } = await api('announce', { room: 'home', file: 'dinner', repeat: 3, name: 'Dinner', priority });
    await listener.waitForFunction(() => window.voiceRelay.view.heard.some(({ person }) => person.name === 'Dinner'));
    const all = await listener.evaluate(async () => {
      const seen = [];
      while (window.voiceRelay.view.heard.some(({ person }) => person.name === 'Dinner')) {
        seen.push(...window.voiceRelay.sessionOf('home').sounds.map(({ volume }) => volume));
        await new Promise((resolve) => requestAnimationFrame(resolve));
      }
      return seen;
    });
    await until(async () => (await api(`announce/${id}`)).state === 'played');
    return [Math.min(...all), Math.max(...all)];
  };
  assert.deepEqual(await volumes('normal'), [1, 1]);
  assert.deepEqual(await volumes('urgent'), [0.25, 1]);
  await listener.waitForFunction(() => window.voiceRelay.sessionOf('home').sounds.every(({ volume }) => volume === 1));
  await closeTabs(browser);
});
