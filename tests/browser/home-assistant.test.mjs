// The cards in the real Home Assistant: on its dashboards of every kind, in its editor, and with its media players.
// Not for CI: `make home-assistant`.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { untilCard } from './dashboard.mjs';
import { ask, openFrontend, startHomeAssistant } from './home-assistant.mjs';
import { speak } from './sound.mjs';

const HASS = process.env.HOME_ASSISTANT;
const PORT = 18_123;
const PICTURES = fileURLToPath(new URL('../../target/screenshots', import.meta.url));
const only = { skip: !HASS && 'needs Home Assistant: make home-assistant', timeout: 600_000 };

/** Higher than any of our cards while nobody talks. */
const HIGH = 400;

const room = { type: 'custom:voice-relay-card', title: 'Intercom' };
const compact = { ...room, mode: 'compact' };
const sending = { type: 'custom:voice-sending-card', name: 'Kitchen', target_media_player: 'media_player.kitchen' };
const receiving = { type: 'custom:voice-receiving-card', title: 'Whole house' };
const button = { type: 'button', name: 'Door', icon: 'mdi:door' };

const VIEWS = [
  { title: 'Masonry', cards: [room, sending, receiving, compact] },
  { title: 'Sections', type: 'sections', sections: [{ type: 'grid', cards: [room, button, receiving] }, { type: 'grid', cards: [compact, sending] }] },
  { title: 'Stacks', cards: [{ type: 'horizontal-stack', cards: [sending, receiving, button] }, { type: 'grid', columns: 2, square: false, cards: [room, compact] }] },
  { title: 'Panel', panel: true, cards: [room] },
];

let folder, browser, daemon, house;

before(async () => {
  if (only.skip) return;
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  mkdirSync(PICTURES, { recursive: true });
  [daemon, house, browser] = await Promise.all([startDaemon(), startHomeAssistant(HASS, PORT), startBrowser(speak(folder))]);
  const tab = await openFrontend(browser, house.url);
  await ask(tab, { type: 'lovelace/resources/create', res_type: 'module', url: `${daemon.url}voice-relay-card.js` });
  await ask(tab, { type: 'lovelace/config/save', url_path: null, config: { title: 'Home', views: VIEWS } });
  await tab.context().close();
}, only);

after(async () => {
  await browser?.close();
  await Promise.all([house?.end(), daemon?.stop()]);
  if (folder) rmSync(folder, { recursive: true });
});

const heights = (tab) =>
  tab.locator('voice-relay-card, voice-sending-card, voice-receiving-card').evaluateAll((cards) => cards.map((card) => card.getBoundingClientRect().height));

test('cards are no higher than they need to be, on every kind of dashboard', only, async () => {
  const tab = await openFrontend(browser, house.url);
  for (const [index, { title }] of VIEWS.entries()) {
    await tab.goto(`${house.url}/lovelace/${index}`);
    await tab.locator('[data-connection="up"]').first().waitFor();
    for (const colorScheme of ['dark', 'light']) {
      await tab.emulateMedia({ colorScheme });
      await tab.waitForTimeout(300);
      await tab.screenshot({ path: join(PICTURES, `home-assistant-${title.toLowerCase()}-${colorScheme}.png`) });
    }
    const found = await heights(tab);
    assert.ok(found.length > 0 && found.every((height) => height > 40 && height < HIGH), `${title}: ${found}`);
  }
  await tab.context().close();
});

test('Anna talks, Ben hears her, and Home Assistant has a media player play it', only, async () => {
  const anna = await openFrontend(browser, house.url);
  const ben = await openFrontend(browser, house.url, { locale: 'de-DE' });
  await anna.evaluate(async () => {
    window.called = [];
    const { connection } = document.querySelector('home-assistant').hass;
    await connection.subscribeEvents(({ data }) => void window.called.push(data), 'call_service');
  });
  const called = (service) => anna.waitForFunction((name) => window.called.find((one) => one.service === name)?.service_data, service);
  await ben.locator('voice-receiving-card #listen').click();
  await anna.locator('voice-sending-card #talk').click();
  await untilCard(anna, 'voice-sending-card', 'talk', 'live');
  await untilCard(ben, 'voice-receiving-card', 'listen', 'on');
  const { media_content_id: address, entity_id: players } = await (await called('play_media')).jsonValue();
  assert.deepEqual(players, ['media_player.kitchen']);
  assert.match(address, /\/stream\/room\/home\.mp3$/);
  await ben.waitForFunction(() => [...window.voiceRelayLines.open.values()][0]?.session.view.places?.some(({ room }) => room.listeners > 0));
  await anna.screenshot({ path: join(PICTURES, 'home-assistant-talking.png') });
  await ben.screenshot({ path: join(PICTURES, 'home-assistant-hearing.png') });
  await anna.locator('voice-sending-card #talk').click();
  await called('media_stop');
  for (const tab of [anna, ben]) await tab.context().close();
});

test('its editor shows the form of a card, and a preview that opens no microphone', only, async () => {
  const tab = await openFrontend(browser, house.url);
  await tab.locator('voice-relay-card[data-connection="up"]').first().waitFor();
  // The pencil.
  await tab.locator('hui-root .action-items ha-icon-button').last().click();
  await tab.locator('hui-card-options', { has: tab.locator('voice-relay-card') }).first().getByText('Edit', { exact: true }).click();
  const dialog = tab.locator('hui-dialog-edit-card');
  await dialog.locator('voice-relay-card[data-connection="up"][data-talk="idle"]').waitFor();
  await tab.screenshot({ path: join(PICTURES, 'home-assistant-editor.png') });
  assert.ok((await dialog.locator('ha-form ha-selector').count()) > 3);
  await tab.context().close();
});
