// The WHIP libraries of others, in a page of another site in Chromium, as their makers say they are used.

import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { startBrowser } from '../browser/browser.mjs';
import { beep } from '../browser/sound.mjs';
import { assertHeard, assertNobodySpeaks, startHouse } from './house.mjs';

const TONE = 610;

let folder, browser, house, site;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  browser = await startBrowser(beep(folder, TONE));
  house = await startHouse();
  site = createServer((request, response) => {
    const library = LIBRARIES[request.url.slice(1)];
    const type = library ? 'text/javascript' : 'text/html';
    void (library ? bundled(library) : Promise.resolve('<!doctype html>')).then((text) => {
      response.setHeader('Content-Type', type).end(text);
    });
  });
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await browser?.close();
  await house?.stop();
  site?.close();
  rmSync(folder, { recursive: true });
});

/** What each maker calls its own. */
const LIBRARIES = { medooze: 'whip-whep/whip.js', binbat: '@binbat/whip-whep/whip.js', eyevinn: '@eyevinn/whip-web-client' };

/** A library with all that it needs, as a site would serve it. */
async function bundled(library) {
  const resolveDir = fileURLToPath(new URL('.', import.meta.url));
  const stdin = { contents: `export * from '${library}'`, resolveDir };
  const { outputFiles } = await build({ stdin, bundle: true, format: 'esm', platform: 'browser', write: false, logLevel: 'error' });
  return outputFiles[0].text;
}

for (const maker of Object.keys(LIBRARIES)) {
  test(`the library of ${maker} sends, with its candidates behind the offer, and ends`, async (context) => {
    const page = await (await browser.newContext()).newPage();
    await page.goto(`http://127.0.0.1:${site.address().port}/`);
    await page.evaluate(publish, { maker, address: `${house.url}whip/home` });
    await assertHeard(context, house, TONE);
    // Nothing that it asked was refused.
    const refused = await page.evaluate(() => window.refused);
    if (refused.length > 0) throw new Error(refused.join('\n'));
    await page.evaluate(() => window.end());
    await assertNobodySpeaks(house);
    await page.context().close();
  });
}

/** Runs in the page. */
async function publish({ maker, address }) {
  window.refused = [];
  const ask = window.fetch.bind(window);
  window.fetch = async (...request) => {
    const reply = await ask(...request);
    if (!reply.ok) window.refused.push(`${request[1]?.method} ${reply.status}: ${await reply.clone().text()}`);
    return reply;
  };
  const library = await import(`/${maker}`);
  const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio });
  if (maker === 'eyevinn') {
    const client = new library.WHIPClient({ endpoint: address, opts: { noTrickleIce: false } });
    await client.ingest(microphone);
    window.end = () => client.destroy();
    return;
  }
  const connection = new RTCPeerConnection();
  connection.addTransceiver(microphone.getAudioTracks()[0], { direction: 'sendonly', streams: [microphone] });
  const client = new library.WHIPClient();
  await client.publish(connection, address);
  window.end = () => client.stop();
}
