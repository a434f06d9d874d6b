// The page of a stream and the status page: addresses that play, numbers that live, faults that are told.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import jsQR from 'jsqr';
import { PNG } from 'pngjs';

import { closeTabs, openPage, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { speak } from './sound.mjs';

/** What each address must come as. */
const TYPES = { wav: 'audio/wav', opus: 'audio/ogg' };

/** Enough of a stream to know that it goes on: more than a burst of headers. */
const ENOUGH_BYTES = 4_000;

/** Whoever copies may; to read it again is for tests. */
const CLIPBOARD = ['clipboard-read', 'clipboard-write'];

let folder, browser, daemon;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  browser = await startBrowser(speak(folder));
});

after(async () => {
  await browser.close();
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  daemon = await startDaemon(undefined, undefined, ['--tls-mode=off', '--rooms-intercom=Kitchen']);
});

afterEach(async () => {
  await closeTabs(browser);
  await daemon.stop();
});

const open = (options) => openPage(browser, daemon.url, options);

/** An address of this machine that browsers do not trust, as they do localhost. */
function ownAddress() {
  const outer = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal);
  assert.ok(outer, 'this test needs a network besides loopback');
  return outer.address;
}

async function startTalking(options) {
  const page = await open(options);
  await page.click('#talk');
  await until(page, 'talk', 'live');
  return page;
}

/** Goes to another view, as a link does: without loading the page anew. */
async function go(page, hash) {
  await page.evaluate((wanted) => (location.hash = wanted), hash);
}

/** The status page, once its self-test is done. */
async function openStatus(page) {
  await go(page, '#/status');
  await tested(page);
}

async function tested(page) {
  await page.locator('#self-test[data-verdict]').waitFor({ timeout: 20_000 });
}

/** Verdict and words of one finding. */
async function finding(page, check) {
  const one = page.locator(`[data-check=${check}]`);
  return { verdict: await one.getAttribute('data-verdict'), words: await one.innerText() };
}

/** Reads so many bytes of a stream; gives its type too. */
async function taste(address) {
  const abort = new AbortController();
  const response = await fetch(address, { signal: abort.signal });
  let bytes = 0;
  for await (const piece of response.body) {
    bytes += piece.length;
    if (bytes >= ENOUGH_BYTES) break;
  }
  abort.abort();
  return { bytes, type: response.headers.get('content-type') };
}

/** What the camera of a phone would read of this element. */
async function scan(locator) {
  const { data, width, height } = PNG.sync.read(await locator.screenshot());
  return jsQR(new Uint8ClampedArray(data), width, height)?.data;
}

test('a room on a speaker: addresses that play, for every kind of player', async () => {
  await startTalking();
  const page = await open();
  for (const [room, stream, kinds] of [
    ['home', 'latest', ['browser', 'cast', 'close', 'default', 'esphome', 'opus', 'sonos', 'wav']],
    ['kitchen', 'room/kitchen', ['browser', 'cast', 'close', 'default', 'esphome', 'sonos', 'wav']],
  ]) {
    await go(page, `#/speaker/${room}`);
    await page.locator('#outer').waitFor();
    const rows = await page.locator('#players li').evaluateAll((items) =>
      items.map((item) => ({ kind: item.dataset.player, url: item.querySelector('copy-text').value })),
    );
    assert.deepEqual(rows.map(({ kind }) => kind).sort(), kinds);
    for (const { kind, url } of rows) {
      assert.ok(url.includes(`:${daemon.ports.mp3}/stream/${stream}.`), url);
      const { bytes, type } = await taste(url.replace('x-rincon-mp3radio:', 'http:'));
      assert.ok(bytes >= ENOUGH_BYTES, `${url}: ${bytes} bytes`);
      assert.equal(type, TYPES[kind] ?? 'audio/mpeg', url);
    }
  }
});

test('the QR code says the link of the page as other devices can open it, in light and in dark', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const page = await open({ colorScheme });
    await go(page, '#/speaker/home');
    await page.locator('#outer').waitFor();
    const link = `http://${ownAddress()}:${daemon.ports.http}/#/speaker/home`;
    assert.equal(await page.locator('#link').evaluate((row) => row.value), link);
    await page.locator('qr-code svg').waitFor();
    assert.equal(await scan(page.locator('qr-code')), link);
    assert.equal((await fetch(link)).status, 200);
  }
});

test('an address is copied where the browser has a clipboard, and on plain HTTP', async () => {
  for (const host of ['localhost', ownAddress()]) {
    const page = await openPage(browser, `http://${host}:${daemon.ports.http}/`);
    await go(page, '#/speaker/home');
    if (host === 'localhost') await page.locator('#outer').waitFor();
    await page.locator('[data-player=wav] button').click();
    await page.locator('[data-player=wav]').getByText('Copied').waitFor();
    // Read where reading is allowed: the clipboard is the whole browser's.
    const reader = await open({ permissions: CLIPBOARD });
    await reader.bringToFront();
    assert.equal(await reader.evaluate(() => navigator.clipboard.readText()), `http://${ownAddress()}:${daemon.ports.mp3}/stream/latest.wav`);
  }
});

/** What the table of a connection says, by measure. */
async function measures(page, role) {
  const rows = page.locator(`article[data-role=${role}] tr[data-measure]`);
  const cells = await rows.evaluateAll((all) => all.map((row) => [row.dataset.measure, row.querySelector('td').innerText]));
  return Object.fromEntries(cells);
}

/** How many pixels of each chart are drawn. */
async function inked(page, role) {
  return page.locator(`article[data-role=${role}] live-chart`).evaluateAll((charts) =>
    charts.map((chart) => {
      const canvas = chart.shadowRoot.querySelector('canvas');
      if (!canvas) return 0;
      const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
      return data.filter((value, index) => index % 4 === 3 && value > 0).length;
    }),
  );
}

async function assertLives(page, role, names) {
  const article = page.locator(`article[data-role=${role}]`);
  // The relay tells a talker every five seconds what arrives.
  await article.locator('[data-measure=jitterMs] td:nth-child(2)').getByText('ms').waitFor();
  await page.waitForTimeout(2_000);
  assert.match(await article.locator('dl').innerText(), /connected[\s\S]*connected[\s\S]*opus/);
  const first = await measures(page, role);
  assert.deepEqual(Object.keys(first), names);
  for (const [name, value] of Object.entries(first)) assert.match(value, /^[\d.,]+ (ms|%|kbit\/s)$/, name);
  assert.ok(parseFloat(first.kilobits) > 5, first.kilobits);
  // A line of some seconds, if only along the floor of the chart.
  for (const pixels of await inked(page, role)) assert.ok(pixels > 5, `${pixels} pixels drawn`);
  await page.waitForFunction(
    ([wanted, before]) => {
      const rows = document.querySelector('status-page').shadowRoot.querySelectorAll(`article[data-role=${wanted}] tr[data-measure]`);
      return [...rows].some((row) => row.querySelector('td').innerText !== before[row.dataset.measure]);
    },
    [role, first],
  );
  assert.match(await article.locator('.delay').innerText(), /about \d+\sms/);
}

test('the status page shows the connections of a talker and of a listener, and they live', async () => {
  const [talker, listener] = [await startTalking(), await open()];
  await listener.click('#listen');
  await untilHeard(listener, 1);
  await Promise.all([openStatus(talker), openStatus(listener)]);
  await assertLives(talker, 'talk', ['roundTripMs', 'jitterMs', 'lossPercent', 'kilobits']);
  await assertLives(listener, 'hear', ['roundTripMs', 'jitterMs', 'lossPercent', 'kilobits', 'bufferMs']);
});

test('all is fine on localhost, where nothing is tested that is not there', async () => {
  const page = await open({ permissions: ['microphone'] });
  await openStatus(page);
  assert.equal(await page.getAttribute('#self-test', 'data-verdict'), 'ok');
  for (const check of ['http', 'socket', 'microphone', 'media', 'files', 'sound', 'mp3']) assert.equal((await finding(page, check)).verdict, 'ok', check);
  const quality = await finding(page, 'quality');
  assert.deepEqual([quality.verdict, /then test again/.test(quality.words)], ['skipped', true]);
});

test('the self-test announces no stream and opens no microphone; with sound there is more to say', async () => {
  await startTalking();
  const page = await open();
  await page.click('#listen');
  await untilHeard(page, 1);
  await openStatus(page);
  await page.waitForTimeout(2_000);
  await page.click('#test-again');
  await tested(page);
  assert.equal((await finding(page, 'media')).verdict, 'ok');
  assert.equal((await finding(page, 'quality')).verdict, 'ok');
  const view = await page.evaluate(() => window.voiceRelay.view);
  assert.deepEqual([view.heard.length, view.microphone, view.talk], [1, 'off', 'idle']);
  assert.deepEqual((await (await fetch(`${daemon.url}api/streams`)).json()).streams.length, 1);
  // Nor is anything left of what it tried.
  await page.waitForFunction(() => window.voiceRelay.view.places[0].room.listeners === 0);
});

test('on an insecure address the self-test tells about the microphone', async () => {
  const page = await openPage(browser, `http://${ownAddress()}:${daemon.ports.http}/`);
  await openStatus(page);
  const { verdict, words } = await finding(page, 'microphone');
  assert.deepEqual([verdict, /https/.test(words)], ['attention', true]);
  assert.equal((await finding(page, 'mp3')).verdict, 'ok');
});

test('behind a proxy that knows only the page, the self-test tells that players find nothing', async () => {
  // The relay on one address, and before it, on another, a proxy for its main port alone.
  process.env.VOICE_RELAY__BIND = '127.0.0.1';
  const relay = await startDaemon().finally(() => delete process.env.VOICE_RELAY__BIND);
  const proxy = createServer((client) => {
    const server = connect(relay.ports.http, '127.0.0.1');
    client.pipe(server).pipe(client);
    for (const [one, other] of [[client, server], [server, client]]) one.on('error', () => other.destroy());
  });
  await new Promise((resolve) => proxy.listen(0, '127.0.0.2', resolve));
  try {
    const page = await openPage(browser, `http://127.0.0.2:${proxy.address().port}/`);
    await openStatus(page);
    const { verdict, words } = await finding(page, 'mp3');
    assert.equal(verdict, 'wrong', words);
    assert.match(words, new RegExp(`${relay.ports.mp3} of 127\\.0\\.0\\.2 can’t be reached[\\s\\S]*proxy`));
    assert.equal((await finding(page, 'socket')).verdict, 'ok');
    assert.equal(await page.getAttribute('#self-test', 'data-verdict'), 'wrong');
    await page.context().close();
  } finally {
    proxy.close();
    await relay.stop();
  }
});

test('where UDP is not let out the self-test says so, however often the page tries', async () => {
  // As a company's policy or a VPN's extension sets it.
  const shut = await startBrowser(undefined, ['--webrtc-ip-handling-policy=disable_non_proxied_udp']);
  try {
    await startTalking();
    const page = await openPage(shut, daemon.url);
    await page.click('#listen');
    await openStatus(page);
    for (const seconds of [4, 5]) {
      await page.waitForTimeout(seconds * 1_000);
      await page.click('#test-again');
      await tested(page);
      const { verdict, words } = await finding(page, 'media');
      assert.equal(verdict, 'wrong', words);
      assert.match(words, new RegExp(`UDP.*:${daemon.ports.media}`));
    }
  } finally {
    await shut.close();
  }
});

test('when the relay is gone the self-test says so', async () => {
  const page = await open();
  await openStatus(page);
  await daemon.stop();
  await page.click('#test-again');
  await tested(page);
  for (const check of ['http', 'socket']) assert.equal((await finding(page, check)).verdict, 'wrong', check);
  assert.match((await finding(page, 'http')).words, /same network/);
  daemon = await startDaemon(daemon.ports);
});

test('where no page may copy, the report is there to be copied by hand', async () => {
  const page = await open();
  // As the application that shows the page may decide; browsers themselves have no such switch.
  await page.evaluate(() => {
    navigator.clipboard.writeText = () => Promise.reject(new DOMException('', 'NotAllowedError'));
    document.execCommand = () => false;
  });
  await openStatus(page);
  await page.click('#copy-report');
  await page.getByText('copy it yourself').waitFor();
  const marked = await page.locator('#report').evaluate((area) => area.value.slice(area.selectionStart, area.selectionEnd));
  assert.match(marked, /^Voice Relay[\s\S]*Version: \d/);
});

test('the report that is copied says what the page says', async () => {
  const page = await startTalking({ permissions: ['microphone', ...CLIPBOARD] });
  await openStatus(page);
  await page.locator('article[data-role=talk] [data-measure=roundTripMs] td:nth-child(2)').getByText('ms').waitFor();
  await page.click('#copy-report');
  await page.getByText('Report copied.').waitFor();
  const report = await page.evaluate(() => navigator.clipboard.readText());
  const { version, media_addresses } = await (await fetch(`${daemon.url}api/info`)).json();
  for (const part of [`Version: ${version}`, ...media_addresses, String(daemon.ports.mp3), 'Codec: opus', '[OK] Relay:', 'You talk in Everyone', 'Round trip:']) {
    assert.ok(report.includes(part), `${part} in:\n${report}`);
  }
});
