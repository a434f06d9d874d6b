// What a host does, and what keeps somebody out: each has its place in the page, in words that say what to do.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { closeTabs, openPage, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { come, comeAsHost, comeInside, idOf, openRoom, press, untilRoom, untilTalking, untilView } from './rooms.mjs';

let browser, daemon;

before(async () => {
  [daemon, browser] = [await startDaemon(), await startBrowser()];
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

beforeEach(() => {
  wishes = 0;
});

afterEach(async () => {
  await closeTabs(browser);
});

let wishes = 0;

/** A room of its own for each test, with its host in it. */
async function hosted(test, wish = {}) {
  const room = await openRoom(daemon.url, { roomName: `${test.name.slice(0, 20)} ${wishes++}`, ...wish });
  const host = await comeAsHost(browser, daemon.url, room, { name: 'Hanna' });
  return { room, host };
}

const guest = ({ roomId }, name = 'Gustav') => comeInside(browser, daemon.url, roomId, { name });

/** Waits until the door says this, by the protocol's word for it; gives what a person reads. */
async function refused(tab, code) {
  await tab.locator(`room-door [data-refusal="${code}"]`).waitFor();
  return tab.innerText('room-door #why');
}

/** Opens the menu of this person, and does this. */
async function act(host, name, action) {
  const row = `[data-person="${await idOf(host, name)}"]`;
  const menu = host.locator(`${row} .menu`);
  if ((await menu.getAttribute('aria-expanded')) !== 'true') await menu.click();
  await host.locator(`${row} [data-action="${action}"]`).click();
}

/** Waits until this is so of this person. */
const until = (tab, name, is) => untilView(tab, ({ people }, { name: called, is: wanted }) => {
  const person = people.find((one) => one.name === called);
  return person !== undefined && Object.entries(wanted).every(([key, value]) => person[key] === value);
}, { name, is });

test('a PIN is asked for, a wrong one is said to be wrong, and the right one opens', async (context) => {
  const { room } = await hosted(context, { pin: '4711' });
  const tab = await come(browser, daemon.url, room.roomId, { name: 'Gustav' });
  assert.match(await refused(tab, 'pin_needed'), /has a PIN/);
  await tab.fill('room-door input', '1234');
  await tab.click('#enter');
  assert.match(await refused(tab, 'wrong_pin'), /Wrong PIN/);
  await tab.fill('room-door input', '4711');
  await tab.click('#enter');
  await untilRoom(tab, 'carries', 'yes');
  // A reload needs it no more.
  await tab.reload();
  await untilRoom(tab, 'carries', 'yes');
});

test('whoever guesses too often has to wait, and is told so', async (context) => {
  const { room } = await hosted(context, { pin: '4711' });
  const tab = await come(browser, daemon.url, room.roomId);
  await refused(tab, 'pin_needed');
  for (let guess = 1000; guess < 1005; guess++) {
    await tab.fill('room-door input', String(guess));
    await tab.click('#enter');
    await refused(tab, 'wrong_pin');
    await tab.waitForTimeout(50);
  }
  await tab.fill('room-door input', '4711');
  await tab.click('#enter');
  assert.match(await refused(tab, 'too_fast'), /Wait a minute/);
});

test('a full room says so, and lets in when somebody has left', async (context) => {
  const { room } = await hosted(context, { max: 2 });
  const first = await guest(room);
  const tab = await come(browser, daemon.url, room.roomId);
  assert.match(await refused(tab, 'full'), /is full/);
  await first.click('#leave');
  await first.locator('house-page').waitFor();
  await tab.click('#again');
  await untilRoom(tab, 'stage', 'inside');
});

test('a locked room says so, and lets in once it is unlocked', async (context) => {
  const { room, host } = await hosted(context);
  await host.click('room-page #lock');
  await host.getByText('The room is locked: nobody else can join.').waitFor();
  const tab = await come(browser, daemon.url, room.roomId);
  assert.match(await refused(tab, 'locked'), /Ask the host/);
  await host.click('room-page #lock');
  await untilView(host, ({ room: about }) => !about.locked);
  await tab.click('#again');
  await untilRoom(tab, 'stage', 'inside');
});

test('whoever is muted is silent, is told why, and may talk again when the host permits it', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await press(tab);
  await untilTalking(host, ['Gustav']);
  await act(host, 'Gustav', 'mute');
  await untilRoom(tab, 'mic', 'off');
  await untilTalking(host, []);
  assert.match(await tab.innerText('#no-word'), /muted you/);
  assert.equal(await tab.isDisabled('room-page #talk'), true);
  await act(host, 'Gustav', 'unmute');
  await until(tab, 'Gustav', { muted: false });
  await press(tab);
  await untilTalking(host, ['Gustav']);
});

test('the host removes somebody only after being asked, and they are told', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await until(host, 'Gustav', {});
  await act(host, 'Gustav', 'kick');
  assert.match(await host.innerText('sure-button #question'), /Remove Gustav/);
  await host.click('sure-button #no');
  await act(host, 'Gustav', 'kick');
  await host.click('sure-button #yes');
  assert.match(await refused(tab, 'kicked'), /removed you/);
  await untilView(host, ({ people }) => people.length === 1);
});

test('the room is handed over: another one has the menu, and the mark', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await until(host, 'Gustav', {});
  assert.equal(await tab.locator('#host').count(), 0);
  await act(host, 'Gustav', 'hand_over');
  await until(tab, 'Gustav', { host: true });
  await tab.locator('room-page #host').waitFor();
  await until(host, 'Hanna', { host: false });
  await host.locator('room-page #host').waitFor({ state: 'detached' });
});

test('in a broadcast a guest talks only while they have the word', async (context) => {
  const { room, host } = await hosted(context, { kind: 'broadcast' });
  const tab = await guest(room);
  assert.match(await tab.innerText('#no-word'), /Only the host, and people/);
  assert.equal(await tab.isDisabled('room-page #talk'), true);
  await until(host, 'Gustav', {});
  await act(host, 'Gustav', 'give_word');
  await until(tab, 'Gustav', { word: true });
  await press(tab);
  await untilTalking(host, ['Gustav']);
  await act(host, 'Gustav', 'take_word');
  await untilTalking(host, []);
  await untilRoom(tab, 'mic', 'off');
});

test('whoever is pinned is marked, until they no longer are', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await until(host, 'Gustav', {});
  await act(host, 'Gustav', 'pin');
  await until(tab, 'Gustav', { pinned: true });
  await act(host, 'Gustav', 'pin');
  await until(tab, 'Gustav', { pinned: false });
});

test('a room is closed after a question, and everybody is told', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await host.click('sure-button#close button');
  await host.click('sure-button#close #yes');
  for (const one of [host, tab]) assert.match(await refused(one, 'closed'), /closed the room/);
  await tab.reload();
  assert.match(await refused(tab, 'no_room'), /no longer exists/);
});

test('a host who reloads, or looks at something else, is the host still', async (context) => {
  const { room, host } = await hosted(context);
  await guest(room);
  await host.reload();
  await untilRoom(host, 'carries', 'yes');
  await until(host, 'Hanna', { host: true });
  await host.click('#leave');
  await host.locator('house-page').waitFor();
  await host.goBack();
  await untilRoom(host, 'carries', 'yes');
  await until(host, 'Hanna', { host: true });
});

test('whoever opens the room in another tab takes their own place, and may take it back', async (context) => {
  const { room, host } = await hosted(context);
  const other = await comeAsHost(browser, daemon.url, room, {});
  assert.match(await refused(host, 'replaced'), /another tab/);
  await host.click('#again');
  await untilRoom(host, 'carries', 'yes');
  await refused(other, 'replaced');
});

test('the chat has a history, marks the host, counts what is new, and what is left to write', async (context) => {
  const { room, host } = await hosted(context);
  await host.fill('room-chat input', 'x'.repeat(450));
  assert.match(await host.innerText('room-chat #left'), /50/);
  await host.fill('room-chat input', 'Dinner is ready');
  assert.equal(await host.innerText('room-chat #left'), '', 'nobody counts what is far from the end');
  await host.keyboard.press('Enter');
  await host.locator('room-chat .line').waitFor();
  // On a phone the chat is below what is seen.
  const tab = await comeInside(browser, daemon.url, room.roomId, { name: 'Gustav', viewport: { width: 360, height: 640 } });
  assert.match(await tab.innerText('room-chat .line'), /Hanna \(host\)[^]*Dinner is ready/);
  await host.fill('room-chat input', 'Come!');
  await host.keyboard.press('Enter');
  await tab.locator('room-page .badge', { hasText: '1' }).waitFor();
  await tab.click('room-page button#chat');
  await tab.locator('room-page .badge').waitFor({ state: 'detached' });
  await tab.keyboard.type('Coming');
  await tab.keyboard.press('Enter');
  await host.getByText('Coming').waitFor();
  // A space in a message is no press of the talk button.
  assert.equal(await tab.evaluate(() => window.room().view.talk), 'idle');
});

test('a guest of a broadcast chooses a listening delay, and what comes waits so long', async (context) => {
  const { room } = await hosted(context, { kind: 'broadcast' });
  const tab = await guest(room);
  await tab.selectOption('#delay', '2000');
  const targets = await tab.evaluate(() => [...window.room().ears.slots.values()].map(({ receiver }) => receiver.jitterBufferTarget));
  assert.deepEqual(targets, [2_000, 2_000, 2_000, 2_000]);
});

test('the host sees how each connection does', async (context) => {
  const { room, host } = await hosted(context, { kind: 'broadcast' });
  const tab = await guest(room);
  await press(host);
  await untilTalking(tab, ['Hanna']);
  await host.click('statistics-panel summary');
  await host.locator('#guests tr', { hasText: /Gustav[^]*ms/ }).waitFor({ timeout: 20_000 });
  for (const measure of ['bitrate', 'latency', 'loss', 'jitter']) await host.locator(`[data-measure="${measure}"] live-chart`).waitFor();
});

test('the sound of a tab, or of the system, is shared', async (context) => {
  const { room, host } = await hosted(context);
  const tab = await guest(room);
  await host.click('music-panel summary');
  await host.click('#share-screen');
  await until(tab, 'Hanna', { music: true });
  await host.click('#stop-music');
  await until(tab, 'Hanna', { music: false });
});

test('a room is made on the page of the house, is there for others at once, and invites them', async () => {
  const [host, other] = [await openPage(browser, daemon.url), await openPage(browser, daemon.url)];
  await host.click('#new-room');
  await host.fill('room-sheet input[name=name]', 'Garden party');
  await host.fill('room-sheet input[name=pin]', '4711');
  await host.click('#make');
  await untilRoom(host, 'carries', 'yes');
  await untilView(host, ({ people }) => people[0]?.host);
  // Who is behind a PIN is for those who know it.
  const tile = other.locator('house-tile', { hasText: 'Garden party' });
  await tile.filter({ hasText: '1 person' }).filter({ hasText: 'PIN' }).waitFor();
  await host.click('invite-panel summary');
  await host.locator('invite-panel qr-code svg').waitFor();
  assert.match(await host.locator('invite-panel #link code').innerText(), /#\/room\/garden-party$/);
  assert.match(await host.locator('invite-panel #player code').innerText(), /stream\/room\/garden-party\.mp3$/);
  assert.match(await host.locator('invite-panel #pin').innerText(), /4711/);
  await host.click('#link-pin');
  const invitation = new URL(await host.locator('invite-panel #link code').innerText());
  await other.goto(`${daemon.url}${invitation.hash}`);
  await untilRoom(other, 'carries', 'yes');
  assert.equal(await other.evaluate(() => location.hash), '#/room/garden-party');
});

test('the page of a room and that of the house are one: what is said and heard goes on from one to the other', async () => {
  const tab = await openPage(browser, daemon.url, { name: 'Ben', listensTo: ['home'] });
  const peer = await tab.waitForFunction(() => window.voiceRelay.connections[0]?.peer);
  await tab.click('#room-link');
  await untilRoom(tab, 'carries', 'yes');
  await press(tab);
  await tab.evaluate(() => (location.hash = '#/'));
  await tab.locator('house-page[data-talk=live]').waitFor();
  assert.equal(await peer.evaluate((one) => one === window.voiceRelay.connections[0].peer), true);
  assert.equal(await tab.getAttribute('house-page #listen', 'aria-pressed'), 'true');
});

test('a host sees who listens on a media player, and removes them', async (t) => {
  const { room, host } = await hosted(t);
  const stop = new AbortController();
  const player = await fetch(`http://127.0.0.1:${daemon.ports.mp3}/stream/room/${room.roomId}.mp3`, { signal: stop.signal });
  assert.equal(player.status, 200);
  const reader = player.body.getReader();
  const first = await reader.read();
  assert.ok(first.value.length > 0, 'it plays');
  const listener = host.locator('#listeners .listener');
  await listener.waitFor();
  assert.match(await listener.innerText(), /on a media player/);
  await listener.getByRole('button', { name: 'Remove' }).click();
  await listener.getByRole('button', { name: 'Yes' }).click();
  await listener.waitFor({ state: 'detached' });
  // To its end: it is not read on for ever.
  while (!(await reader.read()).done);
});
