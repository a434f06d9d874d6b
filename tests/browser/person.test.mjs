// The house as somebody finds it who was told nothing: how many taps each thing takes, from a page that was never open before.
// Taps are taps on the screen of a phone; what they lead to is heard by somebody else.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { closeTabs, openPage, startBrowser, until, untilHeard, visitPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { speak } from './sound.mjs';

const phone = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true };

let folder, browser, daemon;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-person-'));
  browser = await startBrowser(speak(folder));
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  const data = mkdtempSync(join(folder, 'data-'));
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery', '--files-folders=auto', `--data-dir=${data}`]);
});

afterEach(async () => {
  await closeTabs(browser);
  await daemon.stop();
});

/** A person on a phone: taps what they can see, and counts. */
class Person {
  taps = 0;

  constructor(page) {
    this.page = page;
  }

  /** Taps what is called so; it has to be on the screen, or within reach of a finger that scrolls. */
  async tap(role, name) {
    this.taps += 1;
    await this.page.getByRole(role, { name, exact: typeof name === 'string' }).first().tap();
  }
}

/** Somebody who has never been here, and has joined: with one tap. */
async function newcomer() {
  const person = new Person(await visitPage(browser, daemon.url, phone));
  await person.tap('button', 'Join');
  await until(person.page, 'listen', 'on');
  return person;
}

/** Somebody at home who listens to these rooms already. */
const listener = (...rooms) => openPage(browser, daemon.url, { name: 'Anna', listensTo: rooms });

/** Until somebody is heard in this room, by this name. */
const untilHeardIn = (page, room, name) => page.locator('#heard li', { hasText: name }).filter({ hasText: room }).first().waitFor();

test('from the first visit to hearing somebody: one tap', async () => {
  const anna = await listener('home');
  await anna.click('#talk');
  await until(anna, 'talk', 'live');
  const person = await newcomer();
  await untilHeard(person.page, 1);
  assert.equal(person.taps, 1);
});

test('from the first visit to being heard: two taps', async () => {
  const anna = await listener('home');
  const person = await newcomer();
  await person.tap('button', /Talk to Everyone/);
  await untilHeard(anna, 1);
  assert.equal(person.taps, 2);
});

test('an announcement of one’s own, to all rooms: three taps', async () => {
  const anna = await listener('home', 'kitchen', 'nursery');
  const { page } = await newcomer();
  const person = new Person(page);
  await person.tap('button', 'Announce');
  await person.tap('button', /Record/);
  await page.getByText('Recording: 2 s').waitFor();
  await person.tap('button', /Recording/);
  await page.locator('#announced li[data-state=playing]').first().waitFor();
  await anna.waitForFunction(() => new Set(window.voiceRelay.view.heard.map(({ room }) => room.id)).size === 3);
  await page.locator('#announced li[data-state=played]').nth(2).waitFor({ timeout: 30_000 });
  assert.equal(person.taps, 3);
});

test('a sound in the kitchen: three taps', async () => {
  const anna = await listener('kitchen');
  const { page } = await newcomer();
  const person = new Person(page);
  await person.tap('link', 'Sounds');
  await person.tap('button', /^Play gong in a room/);
  await person.tap('button', '▸ Kitchen');
  await untilHeardIn(anna, 'Kitchen', 'gong');
  await page.getByText('Kitchen: played.').waitFor();
  assert.equal(person.taps, 3);
});

test('the address for a loudspeaker: two taps, and it plays', async () => {
  const { page } = await newcomer();
  const person = new Person(page);
  await person.tap('link', /Play on a speaker/);
  const address = await page.locator('[data-player=default] code').innerText();
  await person.tap('button', /^Copy: Most players/);
  const answer = await fetch(address);
  assert.equal(answer.headers.get('content-type'), 'audio/mpeg');
  await answer.body.cancel();
  assert.equal(person.taps, 2);
});
