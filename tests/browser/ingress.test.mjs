// The app's panel in Home Assistant: the real daemon behind a stand-in for the Supervisor, at the Supervisor's
// own address.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { openPage, record, startBrowser, until, untilHeard, visitPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';
import { likeness, readWav, speak } from './sound.mjs';
import { ADDRESSES, startSupervisor } from './supervisor.mjs';

/** Of somebody else on Home Assistant's network: another app. */
const NEIGHBOUR = '172.30.32.5';

let folder, speech, network, supervisor, daemon, browser;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  speech = speak(folder);
  network = makeNetwork(ADDRESSES);
  network.join(NEIGHBOUR);
  supervisor = await startSupervisor('Anna');
  // Whoever has no token, and does not come through the panel, gets nothing.
  daemon = await startDaemon(undefined, network, ['--tls-mode=off', '--access=token'], { ...supervisor.env, VOICE_RELAY__DATA_DIR: join(folder, 'data') });
  browser = await startBrowser(speech);
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  supervisor?.stop();
  network?.remove();
  rmSync(folder, { recursive: true });
});

/** The status of a GET from this address of ours; null when the connection is closed unanswered. */
const ask = (port, path, { from = ADDRESSES.here, method = 'GET', headers = {} } = {}) =>
  new Promise((resolve) => {
    const way = { host: ADDRESSES.there, port, localAddress: from, path, method, headers, agent: false };
    request(way, (answer) => resolve(answer.resume().statusCode)).on('error', () => resolve(null)).end();
  });

test('whoever Home Assistant has a picture of is seen by it, and by their initial otherwise', async () => {
  const dot = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
  for (const pictured of [true, false]) {
    const panel = await openPage(browser, supervisor.url);
    if (pictured) await panel.route('**/api/people/1/picture', (route) => route.fulfill({ contentType: 'image/png', body: Buffer.from(dot, 'base64') }));
    await panel.evaluate(() => (location.hash = '#/room/home'));
    const face = panel.locator('room-people li[data-person] .face').first();
    await face.waitFor();
    assert.equal((await face.innerText()).trim(), 'A');
    const image = face.locator('img');
    await image.waitFor({ state: pictured ? 'visible' : 'hidden' });
    if (pictured) assert.equal(await image.evaluate((element) => element.decode().then(() => element.naturalWidth)), 1);
    await panel.context().close();
  }
});

test('people talk and listen through the panel, and are called as Home Assistant knows them', async () => {
  const [talker, listener] = [await openPage(browser, supervisor.url), await openPage(browser, supervisor.url)];
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  await listener.click('#listen');
  await untilHeard(listener, 1);
  await listener.waitForFunction(() => window.voiceRelay.view.heard[0]?.person.name.startsWith('Anna'));
  const alike = likeness((await record(listener, 5))[0], readWav(speech));
  assert.ok(alike > 0.7, `like its source: ${alike.toFixed(2)}`);
  for (const page of [talker, listener]) {
    assert.deepEqual(page.errors, []);
    await page.context().close();
  }
});

test('on their first visit by the panel people need not say who they are', async () => {
  const page = await visitPage(browser, supervisor.url);
  await page.locator('welcome-form input[placeholder=Anna]').waitFor();
  await page.click('welcome-form #join');
  await page.waitForFunction(() => window.voiceRelay.view.own);
  assert.match(await page.evaluate(() => window.voiceRelay.choices.name), /^Anna/);
  await page.context().close();
});

test("the panel's port answers the Supervisor, and nobody else", async () => {
  assert.ok(supervisor.asked.includes('/addons/self/info'));
  assert.equal(await ask(supervisor.port, '/health'), 200);
  assert.equal(await ask(supervisor.port, '/health', { from: NEIGHBOUR }), null);
});

test('a link that is shared in the panel lets others listen, until it is revoked', async () => {
  const host = await openPage(browser, supervisor.url);
  await host.click('.menu summary');
  await host.click('#share-link');
  await host.fill('input[name=name]', 'Grandma');
  await host.click('#make');
  const link = await host.locator('#link code').innerText();
  const player = await host.locator('#player code').innerText();
  assert.match(link, new RegExp(`^http://${ADDRESSES.there}:${daemon.ports.http}/t/`));
  const guest = await openPage(browser, link);
  await host.goto(supervisor.url);
  await host.click('#talk');
  await until(host, 'talk', 'live');
  await guest.click('#listen');
  await untilHeard(guest, 1);
  assert.equal(await guest.locator('#share-link').count(), 0, 'guests do not let others in');
  assert.equal((await fetch(player, { method: 'HEAD' })).status, 200);
  await guest.goto(`${link}#/speaker/home`);
  assert.equal(await guest.locator('[data-player=default] code').innerText(), player);

  await host.goto(`${supervisor.url}#/share`);
  await host.reload();
  await host.click('#make');
  const second = await host.locator('#link code').innerText();
  assert.equal((await fetch(second)).status, 200);
  await host.click('#revoke');
  await host.getByText('The link was revoked').waitFor();
  assert.equal((await fetch(second)).status, 401);
  for (const page of [host, guest]) await page.context().close();
});

test("the Supervisor's headers count on its own port alone", async () => {
  const headers = { 'x-remote-user-name': 'anna', 'x-remote-user-display-name': 'Anna', 'x-hass-source': 'core.ingress' };
  const wish = { method: 'DELETE', headers };
  const path = '/api/tokens/00000000-0000-4000-8000-000000000001';
  assert.equal(await ask(supervisor.port, path, wish), 204);
  assert.equal(await ask(daemon.ports.http, path, wish), 401);
});
