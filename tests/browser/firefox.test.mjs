// The same first steps as in `person.test.mjs`, in Firefox. It makes no loopback candidates, so the relay lives in a network
// namespace of its own. What Firefox says is heard in Chromium, and the other way round.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, record, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { FirefoxPerson, startFirefox, visitByFirefox } from './firefox.mjs';
import { makeNetwork } from './network.mjs';
import { beep } from './sound.mjs';

/** What Chromium's microphone hears. */
const TONE = 700;

/** Loud enough to be speech, in samples of 16 bits. */
const AUDIBLE = 300;

let folder, network, daemon, firefox, chromium;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-firefox-'));
  network = makeNetwork();
  daemon = await startDaemon(undefined, network, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery', '--files-folders=auto', `--data-dir=${folder}`]);
  const secure = `--unsafely-treat-insecure-origin-as-secure=${new URL(daemon.url).origin}`;
  [firefox, chromium] = await Promise.all([startFirefox(network.address), startBrowser(beep(folder, TONE), [secure])]);
});

after(async () => {
  await Promise.all([firefox?.close(), chromium?.close()]);
  await daemon?.stop();
  network?.remove();
  rmSync(folder, { recursive: true });
});

afterEach(async () => {
  for (const context of firefox.browserContexts()) {
    for (const page of await context.pages()) assert.deepEqual(page.errors ?? [], []);
    if (context !== firefox.defaultBrowserContext()) await context.close();
  }
  await closeTabs(chromium);
});

/** Somebody who has never been here, and has joined: with one click. */
async function newcomer() {
  const person = new FirefoxPerson(await visitByFirefox(firefox, daemon.url));
  await person.click('Join');
  await person.page.waitForFunction(() => document.querySelector('house-page').dataset.listen === 'on');
  return person;
}

/** Somebody at home who listens to these rooms already, in Chromium. */
const listener = (...rooms) => openPage(chromium, daemon.url, { name: 'Anna', listensTo: rooms });

/** Until the browser plays what is loud enough to be heard, as its own statistics say. */
async function untilSounding({ page }) {
  await page.waitForFunction(async () => {
    const { view, connections } = window.voiceRelay;
    const reports = await Promise.all(connections.map(async ({ peer }) => [...((await peer?.getStats()) ?? new Map()).values()]));
    return !view.blocked && reports.flat().some(({ type, audioLevel }) => type === 'inbound-rtp' && audioLevel > 0.01);
  });
}

/** How loud a recording is: its root mean square. */
const loudness = (samples) => Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length);

test('from the first visit to hearing somebody: one click', async () => {
  const anna = await listener('home');
  await anna.click('#talk');
  await until(anna, 'talk', 'live');
  const person = await newcomer();
  await untilSounding(person);
  assert.equal(person.clicks, 1);
});

test('from the first visit to being heard: two clicks', async () => {
  const anna = await listener('home');
  const person = await newcomer();
  await person.click(/^Talk to Everyone/);
  await untilHeard(anna, 1);
  await person.read('Heard by 1.');
  assert.ok(loudness((await record(anna, 2))[0]) > AUDIBLE);
  assert.equal(person.clicks, 2);
});

test('an announcement of one’s own, to all rooms: three clicks', async () => {
  const anna = await listener('home', 'kitchen', 'nursery');
  const person = new FirefoxPerson((await newcomer()).page);
  await person.click('Announce');
  await person.click(/^Record/);
  await person.read('Recording: 2 s');
  await person.click(/^Recording/);
  await anna.waitForFunction(() => new Set(window.voiceRelay.view.heard.map(({ room }) => room.id)).size === 3);
  for (const sound of await record(anna, 1)) assert.ok(loudness(sound) > AUDIBLE);
  for (const room of ['Everyone', 'Kitchen', 'Nursery']) await person.read(`${room}: played.`, 30_000);
  assert.equal(person.clicks, 3);
});

test('a sound in the kitchen: three clicks', async () => {
  const anna = await listener('kitchen');
  const person = new FirefoxPerson((await newcomer()).page);
  await person.click('Sounds');
  await person.click(/^Play gong in a room/);
  await person.click('▸ Kitchen');
  await untilHeard(anna, 1);
  await person.read('Kitchen: played.', 30_000);
  assert.equal(person.clicks, 3);
});

test('the address for a loudspeaker: two clicks, and it plays', async () => {
  const person = new FirefoxPerson((await newcomer()).page);
  await person.click(/^Play on a speaker/);
  const address = await person.page.waitForFunction(
    () => document.querySelector('speaker-page')?.shadowRoot.querySelector('[data-player=default] copy-text')?.value,
  );
  await person.click(/^Copy: Most players/);
  const answer = await fetch(await address.jsonValue());
  assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
  await answer.body.cancel();
  assert.equal(person.clicks, 2);
});

test('two at Firefox hear each other, and a talker who leaves is silent', async () => {
  const [one, other] = [await newcomer(), await newcomer()];
  await one.click(/^Talk to Everyone/);
  await untilSounding(other);
  await one.page.close();
  await other.page.waitForFunction(() => window.voiceRelay.view.heard.length === 0);
});
