// What a web page of somebody else's can do, in a real browser: nothing.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

/** The name of a public site; here it leads to this machine, as a site that rebinds its name makes it do. */
const THEIRS = 'evil.example';

let browser, daemon, site;

before(async () => {
  daemon = await startDaemon();
  browser = await startBrowser(undefined, [`--host-resolver-rules=MAP ${THEIRS} 127.0.0.1`]);
  site = createServer((_, answer) => answer.setHeader('Content-Type', 'text/html').end('<!doctype html><title>A site</title>'));
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  site?.closeAllConnections();
  site?.close();
});

/** Runs in a page: what it can have of the relay at this address. */
async function spy(relay) {
  const reads = async (path, options) => {
    try {
      const answer = await fetch(new URL(path, relay), { ...options, signal: AbortSignal.timeout(5_000) });
      return answer.ok;
    } catch {
      return false;
    }
  };
  const opens = (path) =>
    new Promise((resolve) => {
      const socket = new WebSocket(new URL(path, relay).href.replace('http', 'ws'));
      socket.onopen = () => resolve(true);
      socket.onerror = () => resolve(false);
    });
  const json = { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{}' };
  return {
    socket: (await opens('ws')) || (await opens('.')),
    streams: await reads('api/streams'),
    audio: await reads('stream/latest.mp3'),
    volume: await reads('api/sound', json),
  };
}

/** Whether a page of another site that shows this address in a frame gets to see more than an error. */
async function canFrame(page, address) {
  await page.evaluate((src) => {
    document.body.append(Object.assign(document.createElement('iframe'), { src }));
    return new Promise((resolve) => (document.querySelector('iframe').onload = resolve));
  }, address);
  return page.frames().some((frame) => frame.url() === address);
}

const NOTHING = { socket: false, streams: false, audio: false, volume: false };

test('a page of another site neither hears nor changes anything, under its own name or ours', async () => {
  const talker = await openPage(browser, daemon.url);
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://${THEIRS}:${site.address().port}/`);
  assert.deepEqual(await page.evaluate(spy, daemon.url), NOTHING);
  assert.equal(await canFrame(page, daemon.url), false, 'nobody is led to press what they do not see');
  // The same origin as far as the browser knows: its name leads to the relay now.
  const rebound = `http://${THEIRS}:${daemon.ports.http}/`;
  await page.goto(rebound);
  assert.deepEqual(await page.evaluate(spy, rebound), NOTHING);
  const own = await talker.evaluate(spy, daemon.url);
  assert.deepEqual(own, { ...NOTHING, socket: true, streams: true, audio: true, volume: true }, 'the same from our own page works');
  const metrics = await daemon.metrics();
  assert.ok(metrics.voice_relay_foreign_origins_total >= 2 && metrics.voice_relay_foreign_hosts_total >= 2);
});
