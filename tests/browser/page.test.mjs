// The page as a person uses it: what the talk button makes of hands and keys, what is chosen and kept, and what
// is said when something is in the way.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { chromium } from 'playwright-core';

import { capturesMicrophone, closeTabs, openPage, startBrowser, until, untilHeard } from './browser.mjs';
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
  await page.click('summary');
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
  const [talker, listener] = [await open(), await open()];
  await talker.click('summary');
  await talker.fill('#name', ' Anna ');
  await talker.press('#name', 'Enter');
  await talker.click('#noiseSuppression');
  await talker.reload();
  await until(talker, 'connection', 'up');
  await talker.click('summary');
  assert.equal(await talker.inputValue('#name'), 'Anna');
  assert.equal(await talker.isChecked('#noiseSuppression'), false);
  assert.equal(await talker.isChecked('#echoCancellation'), true);
  await talker.click('#talk');
  await listener.locator('#streams li', { hasText: 'Anna' }).waitFor();
  await talker.locator('#streams li', { hasText: 'You' }).waitFor();
});

test('whoever talks reads how many listen', async () => {
  const [talker, listener] = [await open(), await open()];
  await talker.click('#talk');
  await talker.locator('#state', { hasText: 'Nobody listens yet' }).waitFor();
  await listener.click('#listen');
  await talker.locator('#state', { hasText: 'Heard by one' }).waitFor();
});

test('each stream can be left out, and has a volume that is kept', async () => {
  const [talker, listener] = [await open(), await open()];
  await talker.evaluate(() => window.voiceRelay.choose({ name: 'Anna' }));
  await talker.click('#talk');
  await listener.locator('#streams li', { hasText: 'Anna' }).waitFor();
  await listener.click('#listen');
  await untilHeard(listener, 1);
  await listener.click('.hear');
  await untilHeard(listener, 0);
  await listener.click('.hear');
  await untilHeard(listener, 1);
  const volume = () => listener.evaluate(() => [...window.voiceRelay.hearers.values()][0].audio.volume);
  assert.equal(await volume(), 1);
  await listener.locator('#streams input').fill('0.4');
  assert.equal(await volume(), 0.4);
  await listener.reload();
  await listener.locator('#streams li', { hasText: 'Anna' }).waitFor();
  // Listening may have begun by itself.
  if (!(await listener.evaluate(() => window.voiceRelay.view.listening))) await listener.click('#listen');
  await untilHeard(listener, 1);
  assert.equal(await volume(), 0.4);
});

test('a microphone that is refused is told with what to do, and the next try can succeed', async () => {
  const args = ['--headless', '--no-sandbox', '--disable-gpu', '--use-fake-device-for-media-stream'];
  const strict = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args });
  try {
    const page = await openPage(strict, daemon.url, { permissions: [] });
    await page.click('#talk');
    await until(page, 'talk', 'failed');
    assert.match(await page.innerText('#obstacle'), /blocked[^]*symbol left of the address[^]*Listening works/);
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
  await page.click('summary');
  await page.click('#test-microphone');
  const meter = page.locator('settings-panel level-meter');
  await meter.waitFor();
  const track = await meter.evaluateHandle((element) => element.track);
  assert.equal(await track.evaluate((one) => one.readyState), 'live');
  assert.deepEqual((await (await fetch(`${daemon.url}api/streams`)).json()).streams, []);
  await page.click('summary');
  // The browser tells of a closed summary only after the click.
  await page.waitForFunction((one) => one.readyState === 'ended', track);
});

test('without the relay the page opens and says so, and goes on when the relay is back', async () => {
  const page = await open();
  // In control once it has everything.
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await daemon.stop();
  await page.reload();
  await page.locator('#state', { hasText: 'out of reach' }).waitFor();
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
  const connection = await listener.evaluateHandle(() => [...window.voiceRelay.hearers.values()][0]);
  await listener.getByRole('link', { name: 'Status' }).click();
  await listener.locator('status-page').waitFor();
  await listener.waitForFunction(() => document.querySelector('status-page').shadowRoot?.activeElement?.matches('h1'));
  assert.equal(await listener.isVisible('voice-relay-page'), false);
  assert.equal(await connection.evaluate((one) => one === [...window.voiceRelay.hearers.values()][0]), true);
  await listener.goBack();
  await listener.locator('voice-relay-page').waitFor();
  assert.equal(await listener.locator('status-page').count(), 0);
  await listener.locator('#streams').getByRole('link').first().click();
  await listener.locator('stream-page').waitFor();
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
