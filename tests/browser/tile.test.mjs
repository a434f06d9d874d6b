// The card as a tile, and as a feature of a tile of Home Assistant's: what a tap, a hold and the buttons do.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, test } from 'node:test';

import { closeTabs, openPage, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { addCard, openDashboard, startDashboard, untilCard } from './dashboard.mjs';
import { speak } from './sound.mjs';

const CARD = 'voice-relay-card';
const FEATURE = 'voice-relay-feature';

let folder, browser, daemon, dashboard, tab;

/** Starts the relay, again on the ports that it had. */
const start = async () => startDaemon(daemon?.ports, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery', `--data-dir=${folder}`]);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-tile-'));
  browser = await startBrowser(speak(folder));
  daemon = await start();
  dashboard = await startDashboard(daemon);
});

after(async () => {
  await browser.close();
  dashboard.stop();
  await daemon.stop();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  await closeTabs(browser);
  tab = await openDashboard(browser, dashboard.url);
});

/** Shows a tile of the kitchen with these options. */
async function showTile(options = {}) {
  await addCard(tab, { type: `custom:${CARD}`, mode: 'tile', room: 'kitchen', server_url: daemon.url, ...options });
  await untilCard(tab, CARD, 'connection', 'up');
  return tab.locator(`${CARD} .face`);
}

const listener = (...rooms) => openPage(browser, daemon.url, { name: 'Ben', listensTo: rooms });

test('a tile is called as its room, and tells who is there and how many listen', async () => {
  const face = await showTile();
  await face.getByText('Kitchen', { exact: true }).waitFor();
  const ben = await listener('kitchen');
  await face.getByText(/Ben/).waitFor();
  await face.getByText(/1 listening/).waitFor();
  await ben.click('house-tile[data-room=kitchen] .choose');
  await ben.click('#talk');
  await face.getByText('Ben is talking').waitFor();
});

test('a tap listens, a hold talks for as long as it lasts', async () => {
  const ben = await listener('kitchen');
  const face = await showTile();
  await face.click();
  await untilCard(tab, CARD, 'listen', 'on');
  await face.hover();
  await tab.mouse.down();
  await untilCard(tab, CARD, 'talk', 'live');
  await untilHeard(ben, 1);
  await tab.mouse.up();
  await untilCard(tab, CARD, 'talk', 'idle');
  // The end of the hold was no tap.
  await untilCard(tab, CARD, 'listen', 'on');
  await untilCard(tab, CARD, 'mic', 'off');
});

test('a tap and a hold do what the card says, and what is Home Assistant’s goes to Home Assistant', async () => {
  const map = { action: 'navigate', navigation_path: '/map' };
  const face = await showTile({ tap_action: 'talk', hold_action: map });
  await tab.evaluate(() => {
    window.done = [];
    document.addEventListener('hass-action', ({ detail }) => window.done.push(detail));
  });
  await face.click();
  await untilCard(tab, CARD, 'talk', 'live');
  await face.click();
  await untilCard(tab, CARD, 'talk', 'idle');
  await face.click({ delay: 600 });
  assert.deepEqual(await tab.evaluate(() => window.done), [{ config: { hold_action: map }, action: 'hold' }]);
});

test('its buttons talk, listen, and announce what is said while one of them is held', async () => {
  const ben = await listener('kitchen');
  const face = await showTile();
  await tab.click(`${CARD} #listen`);
  await untilCard(tab, CARD, 'listen', 'on');
  await tab.click(`${CARD} #talk`);
  await untilCard(tab, CARD, 'talk', 'live');
  await tab.click(`${CARD} #talk`);
  await tab.hover(`${CARD} #announce`);
  await tab.mouse.down();
  await face.getByText('Recording: 1 s (release to send)').waitFor();
  await tab.mouse.up();
  await face.getByText('Kitchen: playing…').waitFor();
  await untilHeard(ben, 1);
  await face.getByText('Kitchen: played.').waitFor({ timeout: 20_000 });
  // After some seconds it is a tile again.
  await face.getByText(/Ben/).waitFor({ timeout: 10_000 });
});

test('an announcement under way is stopped by the same button, in every room', async () => {
  const ben = await listener('kitchen', 'nursery', 'home');
  const face = await showTile({ room: '' });
  await tab.click(`${CARD} #announce`);
  await face.getByText('Recording: 1 s (tap to send)').waitFor();
  await tab.click(`${CARD} #announce`);
  await face.getByText('Announcing in 3 places…').waitFor();
  await ben.waitForFunction(() => new Set(window.voiceRelay.view.heard.map(({ room }) => room.id)).size === 3);
  await tab.click(`${CARD} #announce[aria-label=Stop]`);
  await face.getByText(/: stopped\.$/).waitFor();
  await untilHeard(ben, 0);
});

test('what cannot be done is said, and nothing is left open', async () => {
  const face = await showTile();
  await daemon.stop();
  await face.getByText('Looking for the relay…').waitFor();
  await tab.locator(`${CARD} #trouble`).waitFor();
  assert.ok(await face.isDisabled());
  for (const button of ['#listen', '#talk', '#announce']) assert.ok(await tab.locator(`${CARD} ${button}`).isDisabled(), button);
  daemon = await start();
  await untilCard(tab, CARD, 'connection', 'up', 20_000);
});

test('the row of buttons serves in a tile of Home Assistant’s, for a room of its own', async () => {
  const ben = await listener('nursery');
  assert.ok(await tab.evaluate((type) => window.customCardFeatures.some((one) => one.type === type && one.isSupported()), FEATURE));
  await addCard(tab, { type: `custom:${FEATURE}`, room: 'nursery', server_url: daemon.url, buttons: ['talk', 'announce'] });
  await untilCard(tab, FEATURE, 'connection', 'up');
  assert.equal(await tab.locator(`${FEATURE} .face`).count(), 0);
  assert.equal(await tab.locator(`${FEATURE} #listen`).count(), 0);
  await tab.click(`${FEATURE} #talk`);
  await untilCard(tab, FEATURE, 'talk', 'live');
  await until(ben, 'connection', 'up');
  await untilHeard(ben, 1);
  await daemon.stop();
  await tab.locator(`${FEATURE} .trouble`).waitFor();
  daemon = await start();
});

test('its bell rings those who listen in its room, says who answered, and gives it up when it is pressed again', async () => {
  const face = await showTile({ buttons: ['ring'], name: 'Dashboard' });
  const ben = await listener('kitchen');
  await ben.waitForFunction(() => window.voiceRelay.view.own?.inside?.carries);
  const bell = tab.locator(`${CARD} #ring`);
  await bell.click();
  await face.getByText('Calling Kitchen…').waitFor();
  await ben.locator('call-panel h2', { hasText: 'Dashboard is calling' }).waitFor();
  await ben.locator('call-panel #answer').click();
  await face.getByText(/^Ben.* answered\.$/).waitFor();
  await bell.click();
  await ben.locator('call-panel #answer').waitFor();
  await bell.click();
  await face.getByText('The call was cancelled.').waitFor();
  await ben.locator('call-panel #answer').waitFor({ state: 'detached' });
  await ben.context().close();
  await tab.waitForFunction(async (url) => (await (await fetch(`${url}api/stations`)).json()).stations.every(({ presence }) => presence === 'away'), daemon.url);
  await bell.click();
  await face.getByText('Kitchen didn’t answer.').or(face.getByText('There is nobody to call.')).waitFor();
});
