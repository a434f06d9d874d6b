// Presence: who hears which room, counted everywhere by the same number: pages, cards, media players, programs by WHEP, and
// clients that know streams alone; also after each of them was killed.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { addCard, openDashboard, startDashboard, untilCard } from './dashboard.mjs';

let daemon, dashboard;
const browsers = [];

before(async () => {
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen']);
  dashboard = await startDashboard(daemon);
});

after(async () => {
  for (const browser of browsers) await browser.close();
  dashboard.stop();
  await daemon.stop();
});

/** A browser of somebody's own, so that it can be killed without anybody else noticing. */
async function own() {
  const browser = await startBrowser();
  browsers.push(browser);
  return browser;
}

/** Waits until the page counts so many hearers, itself among them, in each room, and shows it. */
async function untilCounted(page, home, kitchen) {
  const isSo = (wanted) => window.voiceRelay.view.places?.slice(0, 2).map(({ room }) => room.hearing).join() === wanted;
  await page.waitForFunction(isSo, `${home},${kitchen}`, { timeout: 60_000 }).catch(async (error) => {
    const counted = await page.evaluate(() => window.voiceRelay.view.places.map(({ room }) => [room.id, room.hearing, room.people, room.listening]));
    throw new Error(`${home},${kitchen} wanted: ${JSON.stringify(counted)}`, { cause: error });
  });
  const { rooms } = await (await fetch(`${daemon.url}api/rooms`)).json();
  assert.deepEqual(rooms.slice(0, 2).map(({ hearing }) => hearing), [home, kitchen]);
}

/** Somebody who hears by WHEP, in a page that is not the relay's. */
async function hearByWhep(browser) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`${daemon.url}health`);
  await page.evaluate(async () => {
    const peer = new RTCPeerConnection();
    window.peer = peer;
    peer.addTransceiver('audio', { direction: 'recvonly' });
    await peer.setLocalDescription();
    const answer = await fetch('/whep/kitchen', { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: peer.localDescription.sdp });
    await peer.setRemoteDescription({ type: 'answer', sdp: await answer.text() });
  });
}

/** A media player: reads what it plays until it is stopped. */
async function play(path) {
  const stop = new AbortController();
  const answer = await fetch(`http://localhost:${daemon.ports.mp3}/stream/${path}`, { signal: stop.signal });
  assert.equal(answer.status, 200);
  void (async () => {
    for await (const _ of answer.body);
  })().catch(() => undefined);
  return () => stop.abort();
}

test('two pages, a card, players and a program by WHEP are counted in their rooms, and no longer once each is killed', async () => {
  const watcher = await openPage(await own(), daemon.url, { name: 'Watcher' });
  await untilCounted(watcher, 0, 0);
  await watcher.locator('house-tile[data-room=home] .who', { hasText: 'Nobody is here' }).waitFor();

  const [first, second, third, fourth] = [await own(), await own(), await own(), await own()];
  await openPage(first, daemon.url, { name: 'Anna', listensTo: ['home', 'kitchen'] });
  await untilCounted(watcher, 1, 1);
  await openPage(second, daemon.url, { name: 'Ben', listensTo: ['home'] });
  await untilCounted(watcher, 2, 1);
  const tab = await openDashboard(third, dashboard.url);
  await addCard(tab, { type: 'custom:voice-relay-card', server_url: daemon.url, room: 'kitchen', name: 'Tablet' });
  await untilCard(tab, 'voice-relay-card', 'connection', 'up');
  await tab.locator('voice-relay-card #listen').click();
  await untilCounted(watcher, 2, 2);
  await hearByWhep(fourth);
  await untilCounted(watcher, 2, 3);
  const stops = [await play('latest.mp3'), await play('room/kitchen.mp3')];
  await untilCounted(watcher, 3, 4);
  await watcher.locator('house-tile[data-room=kitchen] .ears', { hasText: '4 listening · 1 player' }).waitFor();
  await watcher.locator('house-tile[data-room=home] .who', { hasText: 'Anna, Ben' }).waitFor();

  // Whoever talks is told the same number.
  await watcher.click('#talk');
  await until(watcher, 'talk', 'live');
  await watcher.locator('#state', { hasText: 'Heard by 3.' }).waitFor();
  await watcher.click('#talk');

  await first.close();
  await untilCounted(watcher, 2, 3);
  await third.close();
  await untilCounted(watcher, 2, 2);
  for (const stop of stops) stop();
  await untilCounted(watcher, 1, 1);
  // A program whose connection is gone is noticed by its silence.
  await fourth.close();
  await untilCounted(watcher, 1, 0);
  await second.close();
  await untilCounted(watcher, 0, 0);
});

test('whoever is there and does not listen is not counted, nor whose browser blocks the sound', async () => {
  const watcher = await openPage(await own(), daemon.url, { name: 'Watcher' });
  const strict = await startBrowser(undefined, ['--autoplay-policy=document-user-activation-required']);
  browsers.push(strict);
  const page = await (await strict.newContext()).newPage();
  await page.addInitScript((kept) => localStorage.setItem('voice-relay', kept), JSON.stringify({ name: 'Anna', joined: true, listensTo: ['home'] }));
  // Whatever else Playwright does in a page counts as a tap, after which browsers play.
  await page.goto(daemon.url);
  await watcher.locator('house-tile[data-room=home] .who', { hasText: 'Anna' }).waitFor();
  await watcher.waitForTimeout(2_000);
  await untilCounted(watcher, 0, 0);
  await page.mouse.click(3, 3);
  await untilCounted(watcher, 1, 0);
  await page.click('#listen');
  await untilCounted(watcher, 0, 0);
});
