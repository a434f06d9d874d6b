// WHIP and WHEP from a page of another origin of the house, which knows nothing of us but the two addresses.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { record, startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { beep, powerAt } from './sound.mjs';

/** What the microphone hears, and what nobody says. */
const [TONE, ELSE] = [610, 1_500];

let folder, browser, daemon, site;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  browser = await startBrowser(beep(folder, TONE));
  daemon = await startDaemon();
  site = createServer((_, response) => response.setHeader('Content-Type', 'text/html').end(`<script>(${client})()</script>`));
  await new Promise((resolve) => site.listen(0, '127.0.0.1', resolve));
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  site?.close();
  rmSync(folder, { recursive: true });
});

/** What the page knows: the two protocols, and no more. */
function client() {
  const valueOf = (name, text) => new RegExp(`^a=${name}:(.*?)\r?$`, 'm').exec(text)[1];

  window.begin = async (address, connection) => {
    await connection.setLocalDescription();
    const headers = { 'Content-Type': 'application/sdp' };
    const reply = await fetch(address, { method: 'POST', headers, body: connection.localDescription.sdp });
    if (reply.status !== 201) throw new Error(`${reply.status} ${await reply.text()}`);
    const resource = new URL(reply.headers.get('Location'), address).href;
    await connection.setRemoteDescription({ type: 'answer', sdp: await reply.text() });
    window.session = { connection, resource, tag: reply.headers.get('ETag') };
  };

  window.publish = async (address) => {
    // The other tabs play what this one says: it would be taken for an echo.
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    const microphone = await navigator.mediaDevices.getUserMedia({ audio });
    const connection = new RTCPeerConnection();
    connection.addTransceiver(microphone.getAudioTracks()[0], { direction: 'sendonly', streams: [microphone] });
    await window.begin(address, connection);
  };

  window.hear = async (address) => {
    const connection = new RTCPeerConnection();
    // As players do that were made for television.
    for (const kind of ['video', 'audio']) connection.addTransceiver(kind, { direction: 'recvonly' });
    const audio = new Audio();
    connection.ontrack = ({ track, streams }) => {
      if (track.kind !== 'audio') return;
      audio.srcObject = streams[0] ?? new MediaStream([track]);
      void audio.play();
      // Where the tests look for what is heard.
      const sound = { mid: '0', track };
      window.voiceRelay = { audio, rooms: [{ sounds: [sound], membership: { state: { slots: [sound] } } }] };
    };
    await window.begin(address, connection);
  };

  window.restart = async () => {
    const { connection, resource } = window.session;
    const answer = connection.remoteDescription.sdp;
    connection.restartIce();
    await connection.setLocalDescription();
    const offer = connection.localDescription.sdp;
    const body = ['ice-ufrag', 'ice-pwd'].map((name) => `a=${name}:${valueOf(name, offer)}\r\n`).join('');
    const headers = { 'Content-Type': 'application/trickle-ice-sdpfrag', 'If-Match': '*' };
    const reply = await fetch(resource, { method: 'PATCH', headers, body });
    const fragment = await reply.text();
    const renewed = ['ice-ufrag', 'ice-pwd'].reduce(
      (text, name) => text.replaceAll(new RegExp(`^a=${name}:.*?(\r?)$`, 'gm'), `a=${name}:${valueOf(name, fragment)}$1`),
      answer,
    );
    await connection.setRemoteDescription({ type: 'answer', sdp: renewed });
    return { status: reply.status, isNew: reply.headers.get('ETag') !== window.session.tag };
  };

  window.end = async () => {
    const { connection, resource } = window.session;
    connection.close();
    return (await fetch(resource, { method: 'DELETE' })).status;
  };
}

async function open(act, name) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(`http://127.0.0.1:${site.address().port}/`);
  await page.evaluate(([what, address]) => window[what](address), [act, `${daemon.url}${name}`]);
  const connected = () => page.waitForFunction(() => window.session.connection.connectionState === 'connected');
  await connected();
  return { page, connected };
}

async function assertHears(page) {
  await page.waitForFunction(() => window.voiceRelay?.audio.currentTime > 1);
  const [heard] = await record(page, 3);
  const [tone, others] = [TONE, ELSE].map((frequency) => powerAt(frequency, heard));
  assert.ok(tone > 100 * others && tone > 1_000, `the tone: ${tone.toFixed()}, and beside it: ${others.toFixed()}`);
}

async function untilMetric(name, value) {
  for (const end = Date.now() + 15_000; Date.now() < end; ) {
    if ((await daemon.metrics())[name] === value) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.fail(`${name} does not become ${value}`);
}

test('a tone sent by WHIP is heard by WHEP, also after both have restarted ICE, and nothing is left of it', async () => {
  const talker = await open('publish', 'whip/Desk');
  await untilMetric('voice_relay_streams', 1);
  const [latest, room] = [await open('hear', 'whep/latest'), await open('hear', 'whep/home')];
  await assertHears(latest.page);
  await assertHears(room.page);
  for (const { page, connected } of [talker, latest]) {
    assert.deepEqual(await page.evaluate(() => window.restart()), { status: 200, isNew: true });
    await connected();
  }
  await assertHears(latest.page);
  for (const { page } of [room, latest, talker]) assert.ok([200, 404].includes(await page.evaluate(() => window.end())));
  await untilMetric('voice_relay_peers', 0);
  const metrics = await daemon.metrics();
  assert.deepEqual([metrics.voice_relay_whip_sessions, metrics.voice_relay_whep_sessions], [0, 0]);
  assert.equal(metrics.voice_relay_whip_restarted_total, 2);
});
