// The cards on a dashboard of another origin, in a real browser, against the real daemon.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';

import { record, startBrowser, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { addCard, openDashboard, startDashboard, untilCard } from './dashboard.mjs';
import { beep, powerAt } from './sound.mjs';

const FREQUENCIES = [500, 1_500];
const SENDING = 'voice-sending-card';
const RECEIVING = 'voice-receiving-card';
const RELAY = 'voice-relay-card';

let folder, browsers, daemon, dashboard;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  browsers = await Promise.all(FREQUENCIES.map((frequency) => startBrowser(beep(folder, frequency))));
});

after(async () => {
  await Promise.all(browsers.map((one) => one.close()));
  rmSync(folder, { recursive: true });
});

beforeEach(async () => {
  daemon = await startDaemon();
  dashboard = await startDashboard(daemon);
});

afterEach(async () => {
  for (const context of browsers.flatMap((one) => one.contexts())) {
    for (const tab of context.pages()) assert.deepEqual(tab.errors, []);
    await context.close();
  }
  dashboard.stop();
  await daemon.stop();
});

const open = (browser = browsers[0]) => openDashboard(browser, dashboard.url);
const server = () => `ws://localhost:${daemon.ports.http}/ws`;
const websockets = async () => (await daemon.metrics()).voice_relay_websockets;

/** Presses the talk button for a moment: the talking goes on until the next tap. */
const tap = (tab, card) => tab.click(`${card} talk-button`);

/** Opens a dashboard whose sending card talks. */
async function talkOn(browser, options = {}) {
  const tab = await open(browser);
  await addCard(tab, { type: `custom:${SENDING}`, server_url: server(), ...options });
  await untilCard(tab, SENDING, 'connection', 'up');
  await tap(tab, SENDING);
  await untilCard(tab, SENDING, 'talk', 'live');
  return tab;
}

function loudest(samples) {
  const powers = FREQUENCIES.map((frequency) => powerAt(frequency, samples));
  return FREQUENCIES[powers.indexOf(Math.max(...powers))];
}

test('two sending cards are heard by three receiving cards, each by its own sound', async () => {
  const listeners = await Promise.all([0, 1, 0].map((which) => open(browsers[which])));
  for (const tab of listeners) await addCard(tab, { type: `custom:${RECEIVING}`, server_url: server(), auto_play: true });
  await talkOn(browsers[0], { name: 'Anna' });
  await talkOn(browsers[1], { name: 'Ben' });
  await Promise.all(listeners.map((tab) => untilHeard(tab, 2)));
  const heard = await Promise.all(listeners.map((tab) => record(tab, 2)));
  for (const recordings of heard) assert.deepEqual(recordings.map(loudest), FREQUENCIES);
  for (const tab of listeners) {
    await tab.locator(`${RECEIVING} li`).getByText('Ben').waitFor();
  }
});

test('cards of one page share one connection, which is given back some time after the last went', async () => {
  const tab = await open();
  for (const address of [server(), `localhost:${daemon.ports.http}`, daemon.url]) {
    await addCard(tab, { type: `custom:${RECEIVING}`, server_url: address });
    await addCard(tab, { type: `custom:${RELAY}`, server_url: address });
  }
  await untilCard(tab, `${RELAY}:last-child`, 'connection', 'up');
  // One for the list of rooms, and one for the room that all of them are in.
  assert.equal(await websockets(), 2);
  await tab.evaluate(() => document.querySelector('main').replaceChildren());
  await tab.waitForTimeout(2_000);
  assert.equal(await websockets(), 1);
  await tab.waitForFunction(() => window.voiceRelayLines.open.size === 0);
  await until(async () => (await websockets()) === 0);
});

test('a card that is moved stays connected and goes on listening', async () => {
  await talkOn(browsers[1]);
  const tab = await open();
  await addCard(tab, { type: `custom:${RECEIVING}`, server_url: server(), auto_play: true });
  await untilHeard(tab, 1);
  const session = await tab.evaluateHandle(() => window.voiceRelay);
  const peer = await session.evaluateHandle((one) => one.connections[0].peer);
  await tab.evaluate((card) => {
    const corner = document.createElement('aside');
    document.querySelector('main').append(corner);
    corner.append(document.querySelector(card));
  }, RECEIVING);
  await tab.waitForTimeout(1_500);
  assert.ok(await tab.evaluate(([one, old]) => window.voiceRelay === one && one.connections[0].peer === old, [session, peer]));
  await untilCard(tab, RECEIVING, 'listen', 'on');
});

test('media players play once others can hear us, and stop afterwards, each told once', async () => {
  const tab = await open();
  await addCard(tab, { type: `custom:${SENDING}`, server_url: server(), target_media_player: 'media_player.kitchen' });
  await untilCard(tab, SENDING, 'connection', 'up');
  assert.deepEqual(await tab.evaluate(() => window.calls), []);
  await tap(tab, SENDING);
  await tab.waitForFunction(() => window.calls.length);
  assert.equal(await tab.evaluate(() => window.voiceRelay.view.talk), 'live');
  const [[domain, service, data]] = await tab.evaluate(() => window.calls);
  assert.deepEqual([domain, service, data.entity_id, data.media_content_type], ['media_player', 'play_media', ['media_player.kitchen'], 'music']);
  const address = new URL(data.media_content_id);
  assert.equal(address.port, String(daemon.ports.mp3));
  assert.notEqual(address.hostname, 'localhost');
  assert.equal(loudest(decoded(await fetchFor(address, 3_000))), FREQUENCIES[0]);
  await tap(tab, SENDING);
  await tab.waitForFunction(() => window.calls.length > 1);
  await tab.waitForTimeout(500);
  const calls = await tab.evaluate(() => window.calls);
  assert.deepEqual(calls.map(([, name]) => name), ['play_media', 'media_stop']);
});

test('a card that goes away while it talks stops the talking and the media player', async () => {
  const tab = await talkOn(browsers[0], { target_media_player: ['media_player.a', 'media_player.b'], stream_url: 'http://nas/x.mp3' });
  await addCard(tab, { type: `custom:${RELAY}`, server_url: server(), mode: 'compact' });
  await tab.waitForFunction(() => window.calls.length);
  const track = await tab.evaluateHandle(() => window.voiceRelay.microphoneTrack);
  await tab.evaluate((card) => document.querySelector(card).remove(), SENDING);
  await untilCard(tab, RELAY, 'talk', 'idle');
  assert.equal(await track.evaluate((one) => one.readyState), 'ended');
  await tab.waitForFunction(() => window.calls.length > 1);
  const calls = await tab.evaluate(() => window.calls);
  assert.deepEqual(calls.map(([, name, data]) => [name, data.entity_id, data.media_content_id]), [
    ['play_media', ['media_player.a', 'media_player.b'], 'http://nas/x.mp3'],
    ['media_stop', ['media_player.a', 'media_player.b'], undefined],
  ]);
});

test('each card talks with its own voice, on the session that they share', async () => {
  const tab = await open();
  await addCard(tab, { type: `custom:${SENDING}`, server_url: server(), name: 'Plain', noise_suppression: false, echo_cancellation: false }, { id: 'plain' });
  await addCard(tab, { type: `custom:${SENDING}`, server_url: server() }, { id: 'usual' });
  for (const [card, name, noiseSuppression] of [['#plain', 'Plain', false], ['#usual', 'Anna', true]]) {
    await untilCard(tab, card, 'connection', 'up');
    await tap(tab, card);
    await untilCard(tab, card, 'talk', 'live');
    assert.equal(await tab.evaluate(() => window.voiceRelay.microphoneTrack.getSettings().noiseSuppression), noiseSuppression);
    await until(async () => (await (await fetch(`${daemon.url}api/streams`)).json()).streams.map((stream) => stream.name).join() === name);
    await tap(tab, card);
    await untilCard(tab, card, 'mic', 'off');
  }
});

test('auto_start talks where the microphone is allowed, and never in the editor', async () => {
  const tab = await openDashboard(browsers[0], dashboard.url, { permissions: ['microphone'] });
  const config = { type: `custom:${SENDING}`, server_url: server(), auto_start: true };
  await addCard(tab, config, { preview: true, id: 'preview' });
  await untilCard(tab, '#preview', 'connection', 'up');
  await tab.waitForTimeout(700);
  await untilCard(tab, '#preview', 'talk', 'idle');
  await addCard(tab, config, { id: 'card' });
  await untilCard(tab, '#card', 'talk', 'live');
});

test('volume_boost makes louder what is heard', async () => {
  await talkOn(browsers[1]);
  const tab = await open();
  await addCard(tab, { type: `custom:${RECEIVING}`, server_url: server(), auto_play: true, volume_boost: 3 });
  await untilHeard(tab, 1);
  const { ratio, isMuted } = await tab.evaluate(measureBoost);
  assert.ok(ratio > 2.5 && ratio < 3.5, `louder by ${ratio}`);
  assert.equal(isMuted, true);
});

/** Runs in the page: how much louder the boosted sound is than what comes, and whether that alone is heard. */
async function measureBoost() {
  const line = [...window.voiceRelayLines.open.values()][0];
  const { source, gain } = [...line.booster.boosted.values()][0];
  const [before, behind] = [source, gain].map((node) => node.connect(new AnalyserNode(node.context, { fftSize: 32_768 })));
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  const [came, heard] = [before, behind].map((analyser) => {
    const samples = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(samples);
    return Math.sqrt(samples.reduce((sum, sample) => sum + sample * sample, 0));
  });
  return { ratio: heard / came, isMuted: [...line.session.rooms[0].ears.slots.values()].every(({ audio }) => audio.muted) };
}

test('without an address a card goes through ingress, with its cookie', async () => {
  const local = { app: { slug: 'local_voice_relay', state: 'started' } };
  const talker = await open(browsers[1]);
  await addCard(talker, { type: `custom:${RELAY}`, target_media_player: 'media_player.x' }, { hass: local });
  await untilCard(talker, RELAY, 'connection', 'up');
  await tap(talker, RELAY);
  await untilCard(talker, RELAY, 'talk', 'live');
  const listener = await open();
  await addCard(listener, { type: `custom:${RECEIVING}`, auto_play: true }, { hass: local });
  await untilHeard(listener, 1);
  assert.equal(loudest((await record(listener, 3))[0]), FREQUENCIES[1]);
  assert.deepEqual(dashboard.turnedAway, []);
  assert.match(await listener.evaluate(() => window.voiceRelay.base.pathname), /^\/api\/hassio_ingress\//);
  // A media player cannot log in at Home Assistant: it gets the relay's own address.
  await talker.waitForFunction(() => window.calls.length);
  const [[, , data]] = await talker.evaluate(() => window.calls);
  assert.equal(new URL(data.media_content_id).port, String(daemon.ports.mp3));
});

test('what is in the way is said in words', async () => {
  const other = await startDashboard(daemon, '/api/hassio_ingress/the-token/voice-relay-card.js');
  try {
    // The module as HACS brings it: from Home Assistant's own address, where no relay is.
    const tab = await (await browsers[0].newContext()).newPage();
    tab.errors = [];
    await tab.context().addCookies([{ name: 'ingress_session', value: 'the-session', url: other.url }]);
    await tab.goto(other.url);
    await tab.waitForFunction(() => customElements.get('voice-relay-card'));
    await addCard(tab, { type: `custom:${RELAY}` });
    await tab.getByText('was not found in Home Assistant (tried: local_voice_relay)').waitFor();
    await addCard(tab, { type: `custom:${RELAY}`, slug: 'my_relay' }, { hass: { app: { slug: 'my_relay', state: 'stopped' } } });
    await tab.getByText('my_relay) is not running').waitFor();
    // Somebody starts it: no card needs to be touched.
    await tab.evaluate((card) => (document.querySelector(card).house.app.state = 'started'), `${RELAY}:last-child`);
    await untilCard(tab, `${RELAY}:last-child`, 'connection', 'up');
    await addCard(tab, { type: `custom:${RELAY}`, server_url: 'localhost:9' });
    await tab.getByText('The relay at localhost:9 doesn’t answer').waitFor();
    await addCard(tab, { type: `custom:${RELAY}`, slug: 'x' }, { hass: { language: 'de' } });
    await tab.getByText('wurde in Home Assistant nicht gefunden').first().waitFor();
  } finally {
    other.stop();
  }
});

test('an installation without apps uses the relay that the module came from', async () => {
  const tab = await open();
  await addCard(tab, { type: `custom:${RELAY}` });
  await untilCard(tab, RELAY, 'connection', 'up');
  assert.equal(await tab.evaluate(() => window.voiceRelay.base.href), daemon.url);
});

test('an insecure dashboard says why nobody can talk there, and listening works', async () => {
  await talkOn(browsers[1]);
  const insecure = await startDashboard(daemon, `http://${ownAddress()}:${daemon.ports.http}/voice-relay-card.js`);
  const tab = await openDashboard(browsers[0], `http://${ownAddress()}:${insecure.port}/`);
  await addCard(tab, { type: `custom:${RELAY}`, server_url: `${ownAddress()}:${daemon.ports.http}` });
  await untilCard(tab, RELAY, 'connection', 'up');
  assert.match(await tab.innerText(`${RELAY} #obstacle`), /https/);
  assert.equal(await tab.isDisabled(`${RELAY} #talk`), true);
  await tab.click(`${RELAY} #listen`);
  await untilHeard(tab, 1);
  insecure.stop();
});

test('Home Assistant finds cards, forms and sizes, and is told what is wrong', async () => {
  const tab = await open();
  const found = await tab.evaluate(async (again) => {
    // The same module from another address, as where it is installed twice.
    await import(again);
    return window.customCards.map(({ type, preview, documentationURL }) => {
      const kind = customElements.get(type);
      const card = document.createElement(type);
      card.setConfig({ type: `custom:${type}`, ...kind.getStubConfig() });
      const form = kind.getConfigForm();
      const fields = form.schema.flatMap((field) => field.schema ?? [field]);
      const isValid = fields.every((field) => Object.keys(field.selector).length === 1 && form.computeLabel(field));
      const refuse = (config) => {
        try {
          card.setConfig(config);
        } catch (error) {
          return error.message;
        }
      };
      const wrong = refuse({ server_url: 'nonsense://x' });
      return { type, preview, documentationURL, isValid, wrong, size: card.getCardSize(), columns: card.getGridOptions().columns };
    });
  }, `${daemon.url}voice-relay-card.js?v=2`);
  assert.deepEqual(found.map(({ type }) => type), [RELAY, SENDING, RECEIVING]);
  for (const { preview, isValid, wrong, size, columns, documentationURL } of found) {
    assert.ok(preview && isValid && size > 0 && columns % 3 === 0);
    assert.match(wrong, /server_url must be the address/);
    assert.match(await (await fetch(documentationURL)).text(), /voice-relay-card/);
  }
});

test('a card is as high as what is in it in a column, and as its neighbours in a row', async () => {
  const tab = await open();
  const kinds = [SENDING, RECEIVING, RELAY];
  for (const kind of kinds) await addCard(tab, { type: `custom:${kind}`, server_url: server() });
  for (const kind of kinds) await untilCard(tab, kind, 'connection', 'up');
  // As Home Assistant lays them out: columns as high as the page, and stacks.
  const heights = (style) =>
    tab.evaluate(
      ([names, layout]) => {
        const place = document.createElement('div');
        place.style = layout;
        place.append(...names.map((name) => document.querySelector(name)));
        const view = document.createElement('div');
        view.style = 'display: flex; height: 2000px';
        view.append(place);
        document.querySelector('main').replaceChildren(view);
        return names.map((name) => document.querySelector(name).shadowRoot.querySelector('.card').getBoundingClientRect().height);
      },
      [kinds, style],
    );
  for (const height of await heights('width: 360px')) assert.ok(height > 80 && height < 400, `${height} pixels`);
  const row = await heights('display: grid; grid-template-columns: repeat(3, 1fr); width: 1000px; align-self: flex-start');
  assert.ok(row[0] > 80 && row[0] < 400 && row.every((height) => height === row[0]), `${row} pixels`);
});

/** Reads from this address for so long. */
async function fetchFor(address, milliseconds) {
  const pieces = [];
  const end = new AbortController();
  setTimeout(() => end.abort(), milliseconds);
  try {
    for await (const piece of (await fetch(address, { signal: end.signal })).body) pieces.push(piece);
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
  }
  return Buffer.concat(pieces);
}

/** The samples of some MP3. */
function decoded(input) {
  const pcm = execFileSync('ffmpeg', ['-loglevel', 'fatal', '-i', '-', '-f', 's16le', '-ac', '1', '-ar', '48000', '-'], { input });
  return Float64Array.from({ length: pcm.length >> 1 }, (_, index) => pcm.readInt16LE(index * 2));
}

/** Waits until this holds. */
async function until(holds, limit = Date.now() + 10_000) {
  while (!(await holds())) {
    assert.ok(Date.now() < limit, `not in time: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** An address of this machine that browsers do not trust, as they do localhost. */
function ownAddress() {
  const outer = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal);
  return outer?.address ?? '127.0.0.1';
}
