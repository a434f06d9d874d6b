// What a visit costs: bytes, time, hosts, and things that jump; and what a browser says of installing the page.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { gzipSync } from 'node:zlib';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

/** All that comes until the page is ready, as gzip makes it. */
const MAX_BYTES = 46_080;

/** Under a second on a quiet machine; tests run on busy ones, too. */
const READY_MS = 3_000;

/** Sum of layout shifts from load to the end of talking; 0.1 is what is called good. */
const MAX_SHIFT = 0.02;

let browser, daemon;

before(async () => {
  [daemon, browser] = [await startDaemon(), await startBrowser()];
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

/** A tab that has never been here, and all requests that it makes. */
async function firstVisit(options) {
  const tab = await (await browser.newContext(options)).newPage();
  const requests = [];
  // Whatever the browser itself asks for, the service worker's requests besides.
  tab.context().on('request', (request) => requests.push(request));
  tab.on('websocket', (socket) => requests.push({ url: () => socket.url() }));
  return { tab, requests };
}

/** Sizes of these answers, as gzip makes them, by path. */
async function weigh(requests) {
  const sizes = {};
  for (const request of requests) {
    const response = await request.response?.();
    if (response) sizes[new URL(request.url()).pathname] = gzipSync(await response.body()).length;
  }
  return sizes;
}

test('the page is ready soon, and light', async () => {
  const { tab, requests } = await firstVisit({ serviceWorkers: 'block' });
  await tab.goto(daemon.url);
  await until(tab, 'connection', 'up');
  const ready = await tab.evaluate(() => performance.now());
  const sizes = await weigh([...requests]);
  await tab.waitForFunction(() => performance.getEntriesByName('first-contentful-paint').length);
  const paint = await tab.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0].startTime);
  const bytes = Object.values(sizes).reduce((sum, size) => sum + size, 0);
  console.log(`${bytes} bytes of gzip in ${Object.keys(sizes).length} files; first paint after ${Math.round(paint)} ms, ready after ${Math.round(ready)} ms`);
  assert.ok(Object.keys(sizes).some((path) => /^\/assets\/.*\.js$/.test(path)), `not all was seen: ${Object.keys(sizes)}`);
  assert.ok(bytes < MAX_BYTES, JSON.stringify(sizes));
  assert.ok(ready < READY_MS, `ready after ${ready} ms`);
  await tab.context().close();
});

test('nothing comes from another host, whatever is looked at', async () => {
  const { tab, requests } = await firstVisit();
  await tab.goto(daemon.url);
  await until(tab, 'connection', 'up');
  await tab.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await tab.click('#join');
  await tab.click('#talk');
  await until(tab, 'talk', 'live');
  for (const [hash, ready] of [['#/speaker/home', 'speaker-page #players'], ['#/settings', 'settings-page #name'], ['#/status', '#self-test[data-verdict]']]) {
    await tab.evaluate((wanted) => (location.hash = wanted), hash);
    await tab.locator(ready).waitFor({ timeout: 20_000 });
  }
  const hosts = new Set(requests.map((request) => new URL(request.url())).filter(({ protocol }) => protocol !== 'data:').map(({ hostname }) => hostname));
  assert.ok(requests.some((request) => request.url().startsWith('ws')), 'sockets are seen, too');
  assert.deepEqual([...hosts], ['localhost']);
  await tab.context().close();
});

for (const [screen, viewport] of Object.entries({ phone: { width: 360, height: 740 }, desktop: { width: 1280, height: 800 } })) {
  test(`nothing jumps on a ${screen}, from load through talking and listening`, async () => {
    const { tab } = await firstVisit({ viewport });
    await tab.addInitScript(() => {
      window.shifts = [];
      const watch = new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
          const moves = sources.map(({ previousRect, currentRect }) => [previousRect, currentRect].map((box) => JSON.stringify(box)));
          window.shifts.push({ value, moves });
        }
      });
      watch.observe({ type: 'layout-shift', buffered: true });
    });
    await tab.goto(daemon.url);
    await until(tab, 'connection', 'up');
    await tab.locator('house-tile').waitFor();
    await tab.click('#join');
    await tab.locator('house-tile .who', { hasText: 'Guest' }).waitFor();
    await tab.click('#talk');
    await until(tab, 'talk', 'live');
    await tab.locator('#heard li').waitFor();
    await tab.click('#talk');
    await until(tab, 'talk', 'idle');
    await tab.click('#listen');
    await tab.waitForTimeout(500);
    // Also what came right after a touch counts, which browsers forgive.
    const shifts = await tab.evaluate(() => window.shifts);
    const sum = shifts.reduce((total, { value }) => total + value, 0);
    if (process.env.SHIFTS) for (const { value, moves } of shifts) if (value > 0.002) console.log(value, moves.map(([a, b]) => [a, b].map((box) => { const { x, y, width, height } = JSON.parse(box); return [x, y, width, height].map(Math.round).join(); }).join(' -> ')));
    console.log(`layout shift on a ${screen}: ${sum.toFixed(4)}`);
    assert.ok(sum < MAX_SHIFT, JSON.stringify(shifts));
    await tab.context().close();
  });
}

test('the browser finds nothing against installing the page, and opens it without the relay', async () => {
  const page = await openPage(browser, daemon.url);
  const devtools = await page.context().newCDPSession(page);
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  assert.equal(await page.evaluate(async () => (await navigator.serviceWorker.ready).active.state), 'activated');
  const { installabilityErrors } = await devtools.send('Page.getInstallabilityErrors');
  assert.deepEqual(installabilityErrors.filter(({ errorId }) => errorId !== 'in-incognito'), []);
  const { errors, data } = await devtools.send('Page.getAppManifest');
  assert.deepEqual(errors, []);
  assert.equal(JSON.parse(data).display, 'standalone');
  await page.context().setOffline(true);
  await page.reload();
  await page.locator('#state', { hasText: 'can’t be reached' }).waitFor();
  assert.deepEqual(page.errors, []);
  await page.context().close();
});

test('nothing on any view is against the policy of the page', async () => {
  const tab = await openPage(browser, daemon.url);
  const violations = [];
  tab.on('console', (message) => /Content Security Policy|Permissions.Policy/i.test(message.text()) && violations.push(message.text()));
  await tab.click('#talk');
  await until(tab, 'talk', 'live');
  for (const view of ['#/status', '#/speaker/home', '#/share', '#/trust', '#/settings', '#/sounds', '#/room/home', '#/']) {
    await tab.goto(`${daemon.url}${view}`);
    await tab.waitForTimeout(700);
  }
  assert.deepEqual(violations, []);
  const policy = (await tab.request.get(daemon.url)).headers()['content-security-policy'];
  assert.ok(policy.includes("default-src 'self'") && !policy.includes('unsafe'), policy);
  await tab.context().close();
});
