// The page as a person uses it: what the talk button makes of hands and keys, what is chosen and kept, and what
// is said when something is in the way.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { chromium } from 'playwright-core';

import { capturesMicrophone, closeTabs, openPage, startBrowser, until, untilHeard, visitPage } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

/** Longer than any tap, however slow this machine is today. */
const HOLD_MS = 700;

let browser, daemon;

before(async () => {
  browser = await startBrowser();
});

after(async () => {
  await browser.close();
});

beforeEach(async () => {
  daemon = await startDaemon();
});

afterEach(async () => {
  await closeTabs(browser);
  await daemon.stop();
});

const open = (options) => openPage(browser, daemon.url, options);

/** Holds something down until others hear, and for a while more. */
async function hold(page, down) {
  await down();
  await until(page, 'talk', 'live');
  await page.waitForTimeout(HOLD_MS);
  assert.equal(await capturesMicrophone(page), true);
}

test('a hold talks while it lasts, also when the finger slides off', async () => {
  const page = await open();
  await page.hover('#talk');
  await hold(page, () => page.mouse.down());
  await page.mouse.move(5, 5);
  assert.equal(await page.evaluate(() => window.voiceRelay.view.talk), 'live');
  await page.mouse.up();
  await until(page, 'talk', 'idle');
  assert.equal(await capturesMicrophone(page), false);
});

test('a tap talks until the next tap', async () => {
  const page = await open();
  await page.click('#talk');
  await until(page, 'talk', 'live');
  await page.waitForTimeout(HOLD_MS);
  assert.equal(await page.getAttribute('#talk', 'aria-pressed'), 'true');
  assert.equal(await capturesMicrophone(page), true);
  await page.click('#talk');
  await until(page, 'talk', 'idle');
  assert.equal(await page.getAttribute('#talk', 'aria-pressed'), 'false');
});

test('the space bar is held like the button, except where somebody writes', async () => {
  const page = await open();
  await hold(page, () => page.keyboard.down('Space'));
  await page.keyboard.up('Space');
  await until(page, 'talk', 'idle');
  await page.goto(`${daemon.url}#/settings`);
  await page.focus('#name');
  await page.keyboard.type('Anna and Ben');
  assert.equal(await page.inputValue('#name'), 'Anna and Ben');
  assert.equal(await page.evaluate(() => window.voiceRelay.view.talk), 'idle');
});

test('a hold whose key comes up in another window ends', async () => {
  const page = await open();
  await hold(page, () => page.keyboard.down('Space'));
  await page.evaluate(() => window.dispatchEvent(new Event('blur')));
  await until(page, 'talk', 'idle');
});

test('by keyboard alone, Enter begins and ends', async () => {
  const page = await open();
  await page.focus('#talk');
  await page.keyboard.press('Enter');
  await until(page, 'talk', 'live');
  await page.keyboard.press('Enter');
  await until(page, 'talk', 'idle');
});

test('buttons stay where they are, whatever the state', async () => {
  const page = await open({ viewport: { width: 360, height: 740 } });
  const places = () => Promise.all(['#talk', '#listen'].map((id) => page.locator(id).boundingBox()));
  const idle = await places();
  await page.click('#listen');
  await page.click('#talk');
  await until(page, 'talk', 'live');
  await page.mouse.move(1, 1);
  // The button is drawn a little smaller while it is pressed.
  await page.waitForTimeout(300);
  assert.deepEqual(await places(), idle);
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
});

test('a name is kept over a reload, and others see it', async () => {
  const [talker, listener] = [await open({ listensTo: ['home'] }), await open({ listensTo: ['home'] })];
  await talker.goto(`${daemon.url}#/settings`);
  await talker.fill('#name', ' Anna ');
  await talker.press('#name', 'Enter');
  // Those who see them already are told.
  await listener.locator('house-tile[data-room=home] .who', { hasText: 'Anna' }).waitFor();
  await talker.click('#noiseSuppression');
  await talker.reload();
  await until(talker, 'connection', 'up');
  assert.equal(await talker.inputValue('#name'), 'Anna');
  assert.equal(await talker.isChecked('#noiseSuppression'), false);
  assert.equal(await talker.isChecked('#echoCancellation'), true);
  await talker.goto(`${daemon.url}#/`);
  await talker.click('#talk');
  await listener.locator('#heard li', { hasText: 'Anna' }).waitFor();
  await talker.locator('#heard li', { hasText: 'Anna (you)' }).waitFor();
});

test('whoever talks reads how many listen', async () => {
  const [talker, listener] = [await open(), await open()];
  await talker.click('#talk');
  await talker.locator('#state', { hasText: 'Nobody is listening yet' }).waitFor();
  await listener.click('#listen');
  await talker.locator('#state', { hasText: 'Heard by 1' }).waitFor();
});

test('everybody has a volume that is kept', async () => {
  const [talker, listener] = [await open({ name: 'Anna' }), await open()];
  await talker.click('#talk');
  await listener.click('#listen');
  await untilHeard(listener, 1);
  const volume = () => listener.evaluate(() => Math.min(...window.voiceRelay.rooms.flatMap(({ sounds }) => sounds.map((sound) => sound.volume))));
  assert.equal(await volume(), 1);
  await listener.locator('#heard input').fill('0.4');
  assert.equal(await volume(), 0.4);
  await listener.reload();
  await untilHeard(listener, 1);
  // Sound may be here a moment before the message that says whose it is.
  await listener.waitForFunction(() => window.voiceRelay.rooms.some(({ sounds }) => sounds.some(({ volume }) => volume === 0.4)));
  assert.equal(await volume(), 0.4);
});

test('on the first visit one tap lets somebody hear, and another one be heard', async () => {
  const [talker, newcomer] = [await open({ name: 'Anna' }), await visitPage(browser, daemon.url)];
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  assert.equal(await newcomer.isVisible('#talk'), false);
  await newcomer.fill('welcome-form input', 'Kitchen tablet');
  await newcomer.press('welcome-form input', 'Enter');
  await untilHeard(newcomer, 1);
  await newcomer.click('#talk');
  await until(newcomer, 'talk', 'live');
  await talker.locator('house-tile[data-room=home] .who', { hasText: '2 are talking' }).waitFor();
  await newcomer.reload();
  await newcomer.locator('#talk').waitFor();
});

test('several rooms are listened to at once, and one is talked to: the tile that is chosen, or held', async () => {
  await daemon.stop();
  daemon = await startDaemon(daemon.ports, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen, Nursery']);
  const listener = await open({ name: 'Ben', listensTo: ['kitchen', 'nursery'] });
  const talker = await open({ name: 'Anna' });
  const tile = (room) => talker.locator(`house-tile[data-room=${room}] .choose`);
  await tile('kitchen').click();
  await talker.locator('#talk', { hasText: 'Kitchen' }).click();
  await until(talker, 'talk', 'live');
  await listener.locator('#heard li', { hasText: 'Kitchen' }).waitFor();
  // Whoever chooses another room has ended what they said.
  await tile('nursery').click();
  await until(talker, 'talk', 'idle');
  await tile('nursery').hover();
  await hold(talker, () => talker.mouse.down());
  await listener.locator('#heard li', { hasText: 'Nursery' }).waitFor();
  await talker.mouse.up();
  await until(talker, 'talk', 'idle');
  assert.equal(await capturesMicrophone(talker), false);
});

test('a microphone that is refused is told with what to do, and the next try can succeed', async () => {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream'];
  const strict = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
  try {
    const page = await openPage(strict, daemon.url, { permissions: [] });
    await page.click('#talk');
    await until(page, 'talk', 'failed');
    assert.match(await page.innerText('#obstacle'), /blocked[^]*symbol left of the address[^]*You can still listen/);
    assert.match(await page.innerText('#state'), /microphone is off/);
    await page.context().grantPermissions(['microphone']);
    await page.click('#talk');
    await until(page, 'talk', 'live');
    await page.locator('#obstacle').waitFor({ state: 'detached' });
    assert.deepEqual(page.errors, []);
  } finally {
    await strict.close();
  }
});

test('the microphone test shows a level to nobody else, and closes the microphone', async () => {
  const page = await open();
  await page.goto(`${daemon.url}#/settings`);
  await page.click('#test-microphone');
  const meter = page.locator('settings-panel level-meter');
  await meter.waitFor();
  const track = await meter.evaluateHandle((element) => element.track);
  assert.equal(await track.evaluate((one) => one.readyState), 'live');
  assert.deepEqual((await (await fetch(`${daemon.url}api/streams`)).json()).streams, []);
  await page.click('settings-panel summary');
  // The browser tells of a closed summary only after the click.
  await page.waitForFunction((one) => one.readyState === 'ended', track);
});

test('without the relay the page opens and says so, and goes on when the relay is back', async () => {
  const page = await open();
  // In control once it has everything.
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await daemon.stop();
  await page.reload();
  await page.locator('#state', { hasText: 'can’t be reached' }).waitFor();
  await assert.rejects(page.evaluate(() => fetch('health')));
  daemon = await startDaemon(daemon.ports);
  await until(page, 'connection', 'up');
  await page.click('#talk');
  await until(page, 'talk', 'live');
});

test('the screen is kept on while somebody talks or listens, and no longer', async () => {
  const page = await open();
  await page.evaluate(() => {
    window.locks = [];
    const request = navigator.wakeLock.request.bind(navigator.wakeLock);
    navigator.wakeLock.request = async (kind) => {
      const lock = await request(kind);
      window.locks.push(lock);
      return lock;
    };
  });
  const states = (wanted) =>
    page.waitForFunction((text) => JSON.stringify(window.locks.map(({ released }) => released)) === text, wanted);
  await page.click('#listen');
  await states('[false]');
  await page.click('#talk');
  await until(page, 'talk', 'live');
  await page.click('#listen');
  await states('[false]');
  await page.click('#talk');
  await states('[true]');
});

test('another view leaves the sound alone, and the way back is there', async () => {
  const [talker, listener] = [await open(), await open()];
  await talker.click('#talk');
  await listener.click('#listen');
  await untilHeard(listener, 1);
  const connection = await listener.evaluateHandle(() => window.voiceRelay.connections[0].peer);
  await listener.click('.menu summary');
  await listener.getByRole('link', { name: 'Status' }).click();
  await listener.locator('status-page').waitFor();
  await listener.waitForFunction(() => document.querySelector('status-page').shadowRoot?.activeElement?.matches('h1'));
  assert.equal(await listener.isVisible('house-page'), false);
  assert.equal(await connection.evaluate((one) => one === window.voiceRelay.connections[0].peer), true);
  await listener.goBack();
  await listener.locator('house-page').waitFor();
  assert.equal(await listener.locator('status-page').count(), 0);
  await listener.click('#speaker-link');
  await listener.locator('speaker-page').waitFor();
});

test('a browser that speaks German gets a German page', async () => {
  const page = await open({ locale: 'de-DE' });
  assert.equal(await page.getAttribute('html', 'lang'), 'de');
  assert.match(await page.innerText('#talk'), /Sprechen/);
  assert.match(await page.innerText('#state'), /Das Mikrofon ist aus/);
});

test('the page can be installed', async () => {
  const page = await open();
  const devtools = await page.context().newCDPSession(page);
  const { url, errors } = await devtools.send('Page.getAppManifest');
  assert.match(url, /manifest\.webmanifest$/);
  assert.deepEqual(errors, []);
  const manifest = await (await fetch(url)).json();
  for (const { src, type } of manifest.icons) {
    const icon = await fetch(new URL(src, url));
    assert.equal(icon.headers.get('content-type'), type);
    assert.ok((await icon.arrayBuffer()).byteLength < 10_000, src);
  }
});
