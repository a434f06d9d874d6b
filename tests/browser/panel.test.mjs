// The wall panel: the same device after a restart by its address alone, dark while nobody needs it, bright when it rings.

import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';

import { closeTabs, openPage, startBrowser, visitPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

let daemon, browser;

before(async () => {
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen']);
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

afterEach(async () => {
  await closeTabs(browser);
  for (const id of Object.keys(await presences())) await fetch(`${daemon.url}api/stations/${id}`, { method: 'DELETE' });
});

async function presences() {
  const { stations } = await (await fetch(`${daemon.url}api/stations`)).json();
  return Object.fromEntries(stations.map(({ id, presence }) => [id, presence]));
}

/** Waits until this device has a name on the page. */
async function untilNamed(page) {
  await page.waitForFunction(() => window.voiceRelay.view.own?.inside?.carries, undefined, { polling: 20 });
}

async function ring(to) {
  const answer = await fetch(`${daemon.url}api/calls`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ to, name: 'Front door' }) });
  assert.equal(answer.status, 201, await answer.clone().text());
  return (await answer.json()).id;
}

test('a tablet whose browser keeps nothing is the same device again by its address alone', async () => {
  const tablet = await openPage(browser, daemon.url, { name: 'Hall tablet', listensTo: ['home', 'kitchen'] });
  await untilNamed(tablet);
  await tablet.evaluate(() => (location.hash = '#/calls'));
  await tablet.locator('calls-page #panel-link').click();
  await tablet.locator('panel-page[data-dark=no] house-tile[data-room=kitchen]').waitFor();
  await tablet.waitForFunction(() => location.hash.includes('key='));
  const address = tablet.url();
  await tablet.context().close();
  const again = await visitPage(browser, address);
  await untilNamed(again);
  assert.deepEqual(await again.evaluate(() => [window.voiceRelay.view.own.room.id, window.voiceRelay.choices.listensTo]), ['hall-tablet', ['home', 'kitchen']]);
  assert.deepEqual(await presences(), { 'hall-tablet': 'here' }, 'and there is no second one');
  assert.equal(await again.locator('welcome-form').count(), 0, 'nobody is asked who they are');
  await again.locator('panel-page house-tile[data-room=kitchen]').waitFor();
  assert.equal(again.url(), address);
});

test('a panel is dark while nobody needs it, bright when it rings, and the touch that wakes it does nothing else', async () => {
  const tablet = await openPage(browser, daemon.url, { name: 'Hall tablet', listensTo: ['home'] });
  await untilNamed(tablet);
  await tablet.clock.install();
  await tablet.evaluate(() => (location.hash = '#/panel'));
  const panel = tablet.locator('panel-page');
  await panel.locator('house-tile[data-room=home]').waitFor();
  await tablet.clock.fastForward(30_000);
  assert.equal(await panel.getAttribute('data-dark'), 'no');
  await tablet.clock.fastForward(31_000);
  await panel.locator('#dark').waitFor();
  const places = new Set();
  for (let minute = 0; minute < 9; minute += 1) {
    places.add(await panel.locator('#dark').evaluate((button) => {
      const text = document.createRange();
      text.selectNodeContents(button);
      const { x, y } = text.getBoundingClientRect();
      return `${Math.round(x)} ${Math.round(y)}`;
    }));
    await tablet.clock.fastForward(60_000);
  }
  assert.ok(places.size >= 8, `the clock is moved, so that it burns no picture into the screen: ${[...places]}`);
  // Where the tile of the kitchen is, beneath.
  const tile = await panel.locator('house-tile[data-room=kitchen]').boundingBox();
  await tablet.mouse.click(tile.x + 20, tile.y + 20);
  await tablet.locator('panel-page[data-dark=no]').waitFor();
  assert.equal(await tablet.evaluate(() => window.voiceRelay.choices.room), 'home', 'the kitchen was not chosen');
  await tablet.clock.fastForward(61_000);
  await panel.locator('#dark').waitFor();
  // To the page a minute without a sign of life has passed: it comes back.
  await tablet.clock.resume();
  await untilNamed(tablet);
  const call = await ring('hall-tablet');
  await tablet.locator('call-panel[data-role=called]').waitFor();
  await tablet.locator('panel-page[data-dark=no]').waitFor();
  await tablet.locator('call-panel #answer').click();
  const over = await (await fetch(`${daemon.url}api/calls/${call}`)).json();
  assert.equal(over.outcome, 'answered');
});

test('who opens the panel on a new tablet gives it a name first', async () => {
  const tablet = await visitPage(browser, `${daemon.url}#/panel`);
  const form = tablet.locator('panel-page welcome-form');
  await form.locator('[name=name]').fill('Study');
  await form.locator('#join').click();
  await tablet.locator('panel-page house-tile[data-room=home]').waitFor();
  await tablet.waitForFunction(() => location.hash.includes('name=Study'));
});
