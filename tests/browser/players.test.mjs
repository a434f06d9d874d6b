// Announcing on Home Assistant's media players from the page: they can be chosen beside the rooms, a text can be spoken,
// and it is told how it goes on each. What a player does then is told by tests/hass_players.rs.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { closeTabs, openPage, startBrowser, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { beep } from './sound.mjs';
import { startCore } from './stand-in-core.mjs';

let folder, browser, core, daemon;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-players-'));
  browser = await startBrowser(beep(folder, 500));
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  core = await startCore();
  const data = mkdtempSync(join(folder, 'data-'));
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen', '--files-folders=auto', `--data-dir=${data}`, ...core.flags]);
  const isKnown = async () => (await (await fetch(`${daemon.url}api/players`)).json()).players.some(({ state }) => state === 'idle');
  for (const end = Date.now() + 15_000; !(await isKnown()); ) {
    assert.ok(Date.now() < end, 'no player is known');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

afterEach(async () => {
  await closeTabs(browser);
  await daemon.stop();
  await core.stop();
});

/** The sheet, and what is chosen in it: no room, unless it is named. */
async function openSheet(rooms = []) {
  const page = await openPage(browser, daemon.url);
  await page.click('#announce');
  const sheet = page.locator('announce-sheet');
  await sheet.locator('[data-player]').first().waitFor();
  for (const room of ['home', 'kitchen']) if (!rooms.includes(room)) await sheet.locator(`[data-room=${room}]`).uncheck();
  return sheet;
}

test('players are chosen by their names; one that is away cannot be, and none is unless somebody wants it', async () => {
  const sheet = await openSheet();
  const chips = sheet.locator('.chip:has([data-player])');
  assert.deepEqual(await chips.evaluateAll((all) => all.map((chip) => chip.textContent.trim().replace(/\s+/g, ' '))), ['bedroom can’t be reached', 'kitchen speaker Kitchen', 'living room']);
  assert.deepEqual(await sheet.locator('[data-player]').evaluateAll((all) => all.map(({ disabled, checked }) => [disabled, checked])), [[true, false], [false, false], [false, false]]);
  await sheet.locator('[data-chime=ding]').click();
  await sheet.getByText('Choose first where it is to be heard.').waitFor();
});

test('a text is spoken in a room and on a player', async () => {
  const listener = await openPage(browser, daemon.url);
  await listener.click('house-page #listen');
  const sheet = await openSheet(['home']);
  await sheet.locator('[data-player="media_player.kitchen_speaker"]').check();
  await sheet.locator('#text').fill('Dinner is ready');
  await sheet.locator('#say').click();
  await sheet.getByText(/^kitchen speaker: playing/).waitFor();
  await untilHeard(listener, 1);
  await sheet.getByText('kitchen speaker: played.').waitFor({ timeout: 30_000 });
  await sheet.getByText('Everyone: played.').waitFor({ timeout: 30_000 });
});

test('one stop ends it in every place', async () => {
  const sheet = await openSheet(['home', 'kitchen']);
  await sheet.locator('[data-player="media_player.kitchen_speaker"]').check();
  await sheet.locator('#text').fill('A long story');
  await sheet.locator('#say').click();
  await sheet.locator('#announced [data-state=playing]').nth(2).waitFor();
  await sheet.locator('#stop').click();
  await sheet.locator('#announced [data-state=stopped]').nth(2).waitFor();
});
