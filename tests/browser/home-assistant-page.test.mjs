// The page that shows what Home Assistant has of the relay: it is there where there is a Home Assistant, connects it to the
// rooms as media players, and tries each of its players.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { closeTabs, openPage, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { startCore } from './stand-in-core.mjs';

let folder, browser, core, daemon;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-home-assistant-'));
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  core = await startCore();
  const data = mkdtempSync(join(folder, 'data-'));
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--files-folders=auto', `--data-dir=${data}`, ...core.flags]);
});

afterEach(async () => {
  await closeTabs(browser);
  await daemon.stop();
  await core.stop();
});

/** The page, by the menu. */
async function openView() {
  const page = await openPage(browser, daemon.url);
  await page.click('#menu');
  await page.click('#homeassistant-link');
  const view = page.locator('homeassistant-page');
  await view.locator('#link[data-state=linked]').waitFor();
  return view;
}

test('one button connects Home Assistant to the rooms as media players', async () => {
  const view = await openView();
  await view.locator('#node[data-connected=false]').waitFor();
  await view.locator('#connect').click();
  await view.getByText('Home Assistant has added the integration ESPHome.').waitFor();
  await view.locator('#node[data-connected=true]').waitFor();
  assert.equal(await view.locator('#connect').count(), 0, 'nothing is left to do');
});

test('where Home Assistant is on another machine, the key is there for whoever adds the rooms by hand', async () => {
  await daemon.stop();
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--esphome-reach=lan', `--data-dir=${mkdtempSync(join(folder, 'data-'))}`, ...core.flags]);
  const view = await openView();
  await view.locator('#by-hand summary').click();
  const key = view.locator('#by-hand copy-text code');
  await key.waitFor();
  assert.equal(Buffer.from(await key.innerText(), 'base64').length, 32);
  await view.locator('#connect').click();
  await view.locator('#node[data-connected=true]').waitFor();
  assert.equal(await view.locator('#by-hand').count(), 0);
});

test('a player is tried: when it was heard, and that it is as loud as before', async () => {
  // The chimes are known a moment after the start.
  while ((await (await fetch(`${daemon.url}api/files`)).json()).total === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  const view = await openView();
  const kitchen = view.locator('[data-entity="media_player.kitchen_speaker"]');
  await kitchen.getByRole('button', { name: 'Test kitchen speaker' }).click();
  await kitchen.getByText('Playing…').waitFor();
  await kitchen.getByText(/^Heard.*The volume is as before\.$/).waitFor({ timeout: 30_000 });
  assert.ok(await view.locator('[data-entity="media_player.bedroom"] button').isDisabled(), 'it is not there');
});

test('a doorbell of Home Assistant’s rings the device that is chosen for it, and nobody once it is off', async (t) => {
  const hall = await openPage(browser, daemon.url, { name: 'Hall', listensTo: ['home'] });
  const attic = await openPage(browser, daemon.url, { name: 'Attic', listensTo: ['home'] });
  const rings = (page) => page.waitForFunction(() => window.voiceRelay.view.calls.current?.role === 'called' && Date.now(), undefined, { polling: 5 });
  const view = await openView();
  const bell = view.locator('#doorbells select');
  await bell.locator('option', { hasText: 'Hall' }).waitFor({ state: 'attached' });
  let pressed = Date.now();
  core.press();
  for (const page of [hall, attic]) t.diagnostic(`rings after ${(await (await rings(page)).jsonValue()) - pressed} ms`);
  await hall.locator('call-panel #answer').click();
  await bell.selectOption({ label: 'Hall' });
  await view.getByText('Saved.').waitFor();
  pressed = Date.now();
  core.press();
  await rings(hall);
  assert.equal(await attic.evaluate(() => window.voiceRelay.view.calls.current), null);
  await hall.locator('call-panel h2', { hasText: 'Front door is calling' }).waitFor();
  await hall.locator('call-panel #decline').click();
  await bell.selectOption({ label: 'Nobody' });
  await view.locator('#doorbells select').evaluate((select) => select.value === '' || Promise.reject(new Error(select.value)));
  const rung = (await daemon.metrics())['voice_relay_calls_rung_total'];
  core.press();
  await hall.waitForTimeout(500);
  assert.equal((await daemon.metrics())['voice_relay_calls_rung_total'], rung);
});

test('a phone rings whose page is closed, and whoever answers there talks at once', async () => {
  const anna = await openPage(browser, daemon.url, { name: 'Anna', listensTo: ['home'] });
  await anna.waitForFunction(() => window.voiceRelay.view.own);
  await anna.evaluate(() => (location.hash = '#/calls'));
  const phone = anna.locator('calls-page #phone');
  await phone.selectOption({ label: 'Pixel 8' });
  await anna.locator('calls-page [data-station=anna]').waitFor();
  await anna.close();
  const hall = await openPage(browser, daemon.url, { name: 'Hall', listensTo: ['home'] });
  const tile = hall.locator('house-tile[data-room=anna]');
  await tile.getByText('On the phone').waitFor();
  assert.ok(await tile.locator('.choose').isDisabled(), 'nobody hears there what is said');
  await tile.locator('#ring').click();
  const ringing = await hall.waitForFunction(() => window.voiceRelay.view.calls.current?.call.id);
  // What the button of the notification opens, on the same phone.
  const opened = await anna.context().newPage();
  await opened.goto(`${daemon.url}?call=${await ringing.jsonValue()}`);
  for (const page of [opened, hall]) await page.waitForFunction(() => window.voiceRelay.view.calls.current?.role === 'talking');
  await opened.waitForFunction(() => window.voiceRelay.view.talk === 'live');
  assert.ok(!opened.url().includes('call='), 'coming back to this page answers nothing');
  await hall.locator('call-panel #hang-up').click();
  await opened.waitForFunction(() => window.voiceRelay.view.calls.current === null);
  await opened.goto('about:blank');
  // In Home Assistant it is the address of the page around ours.
  await tile.getByText('On the phone').waitFor();
  await tile.locator('#ring').click();
  const second = await hall.waitForFunction((first) => window.voiceRelay.view.calls.current && window.voiceRelay.view.calls.current.call.id !== first && window.voiceRelay.view.calls.current.call.id, await ringing.jsonValue());
  const around = `${daemon.url}app?call=${await second.jsonValue()}`;
  await opened.route(around, (route) => route.fulfill({ contentType: 'text/html', body: '<iframe src="./" allow="microphone"></iframe>' }));
  await opened.goto(around);
  await hall.waitForFunction(() => window.voiceRelay.view.calls.current?.role === 'talking');
  await hall.locator('call-panel #hang-up').click();
  await hall.waitForFunction(() => window.voiceRelay.view.calls.current === null);
  await opened.goto(daemon.url);
  await opened.evaluate(() => (location.hash = '#/calls'));
  await opened.locator('calls-page #phone').selectOption('');
  await opened.close();
  await tile.getByText('Not here').waitFor({ state: 'attached' });
});

test('what is said in a room is live on the players that are chosen for it, from the press until it has been heard', async () => {
  const anna = await openPage(browser, daemon.url, { name: 'Anna', listensTo: ['home'] });
  await anna.evaluate(() => (location.hash = '#/room/home'));
  const speaker = anna.locator('room-page live-players [data-player="media_player.kitchen_speaker"]');
  await speaker.check();
  const note = anna.locator('live-note');
  for (const round of [1, 2]) {
    await anna.evaluate(() => void window.voiceRelay.talk('home'));
    await note.getByText(/^kitchen speaker: playing/).waitFor();
    const listeners = async () => (await (await fetch(`${daemon.url}api/rooms/home`)).json()).listeners;
    assert.equal(await listeners(), 1, `the speaker listens, press ${round}`);
    await anna.evaluate(() => window.voiceRelay.stopTalking());
    await note.getByText('kitchen speaker: stopped.').waitFor();
    await note.locator('li').first().waitFor({ state: 'detached' });
    assert.equal(await listeners(), 0);
  }
  await speaker.uncheck();
  await anna.evaluate(() => void window.voiceRelay.talk('home'));
  await anna.waitForFunction(() => window.voiceRelay.view.talk === 'live');
  await anna.evaluate(() => window.voiceRelay.stopTalking());
  assert.equal(await note.locator('li').count(), 0);
});

test('whoever cannot be reached is shown so, and nothing can be asked of them', async () => {
  const view = await openView();
  await core.stop();
  await view.locator('#link[data-state=unlinked]').waitFor();
  assert.ok(await view.locator('#connect').isDisabled());
  await daemon.stop();
  await view.getByText('The relay can’t be reached.').waitFor();
  assert.equal(await view.locator('button:enabled').count(), 0);
});

test('where there is no Home Assistant the menu has no such page', async () => {
  const alone = await startDaemon();
  const page = await openPage(browser, alone.url);
  await page.click('#menu');
  await page.locator('#status-link').waitFor();
  assert.equal(await page.locator('#homeassistant-link').count(), 0);
  await page.goto(`${alone.url}#/homeassistant`);
  await page.locator('homeassistant-page #link[data-state=notConfigured]').waitFor();
  await alone.stop();
});
