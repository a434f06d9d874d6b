// A card that names a room talks and listens there, and nowhere else.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { addCard, openDashboard, startDashboard, untilCard } from './dashboard.mjs';
import { comeInside, openRoom, press, untilTalking, untilView } from './rooms.mjs';

const CARD = 'voice-relay-card';

let browser, daemon, dashboard;

before(async () => {
  [daemon, browser] = [await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen']), await startBrowser()];
  dashboard = await startDashboard(daemon);
});

after(async () => {
  await browser.close();
  dashboard.stop();
  await daemon.stop();
});

afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
});

const card = (config) => ({ type: `custom:${CARD}`, server_url: daemon.url, ...config });

test('a card talks and listens in its room, and leaves it when it goes', async () => {
  const ben = await comeInside(browser, daemon.url, 'kitchen', { name: 'Ben' });
  const tab = await openDashboard(browser, dashboard.url);
  await addCard(tab, card({ room: 'kitchen', name: 'Tablet' }));
  await untilCard(tab, CARD, 'connection', 'up');
  await untilView(ben, ({ people }) => people.some(({ name }) => name === 'Tablet'));
  await tab.locator(`${CARD} #talk`).click();
  await untilCard(tab, CARD, 'talk', 'live');
  await untilTalking(ben, ['Tablet']);
  await tab.locator(`${CARD} #talk`).click();
  await untilCard(tab, CARD, 'mic', 'off');
  await untilTalking(ben, []);
  await tab.locator(`${CARD} #listen`).click();
  await press(ben);
  await tab.getByText('You hear Ben.').waitFor();
  await tab.evaluate(() => document.querySelector('main').replaceChildren());
  await untilView(ben, ({ people }) => people.length === 1);
});

test('two cards of one room are one participant', async () => {
  const ben = await comeInside(browser, daemon.url, 'kitchen', { name: 'Ben' });
  const tab = await openDashboard(browser, dashboard.url);
  for (const mode of ['talk', 'listen']) await addCard(tab, card({ room: 'kitchen', mode, name: 'Tablet' }));
  await tab.waitForTimeout(1_000);
  assert.deepEqual(await ben.evaluate(() => window.room().view.people.map(({ name }) => name)), ['Ben', 'Tablet']);
});

test('a card before a closed door says why it is not inside, and with the PIN it is', async () => {
  const { roomId } = await openRoom(daemon.url, { roomName: 'Study', pin: '4711' });
  const tab = await openDashboard(browser, dashboard.url);
  await addCard(tab, card({ room: roomId }));
  await tab.locator(`${CARD} #refusal`, { hasText: 'has a PIN' }).waitFor();
  const other = await openDashboard(browser, dashboard.url);
  await addCard(other, card({ room: roomId, pin: 4711 }));
  await untilCard(other, CARD, 'connection', 'up');
});
