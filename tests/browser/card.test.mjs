// The habits of the cards that exist: one peer connection, thrown away and made anew at every request,
// and two requests within milliseconds when a dashboard opens.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openPage, startBrowser, until } from './browser.mjs';
import { startDaemon } from './daemon.mjs';

let browser, daemon;

before(async () => {
  [daemon, browser] = [await startDaemon(), await startBrowser()];
});

after(async () => {
  await browser.close();
  await daemon.stop();
});

/** Runs in the page: listens as such a card does; gives what it was told and how it ended. */
async function listenAsCard() {
  const socket = new WebSocket(new URL('/', location.href.replace('http', 'ws')));
  const told = [];
  let connection, stream;
  const send = (message) => socket.send(JSON.stringify(message));
  const request = (wanted) => {
    connection?.close();
    connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle', rtcpMuxPolicy: 'require' });
    connection.onicecandidate = ({ candidate }) => candidate && send({ type: 'ice_candidate', candidate });
    connection.ontrack = (event) => (stream = event.streams[0]);
    send({ type: 'start_receiving', stream_id: wanted });
  };
  socket.onopen = () => request(undefined);
  socket.onmessage = async ({ data }) => {
    const message = JSON.parse(data);
    told.push(message.type);
    // As the card does: at once, so before any offer that the first request led to.
    if (message.type === 'available_streams') request(message.streams.at(-1));
    if (message.type !== 'webrtc_offer') return;
    await connection.setRemoteDescription(message.offer);
    await connection.setLocalDescription(await connection.createAnswer());
    send({ type: 'webrtc_answer', answer: connection.localDescription });
  };
  const packets = async () => {
    const report = connection ? [...(await connection.getStats()).values()] : [];
    return report.find(({ type }) => type === 'inbound-rtp')?.packetsReceived ?? 0;
  };
  const limit = performance.now() + 5_000;
  while ((await packets()) < 50 && performance.now() < limit) await new Promise((resolve) => setTimeout(resolve, 20));
  return { told, packets: await packets(), hasStream: Boolean(stream) };
}

test('a card that asks twice within milliseconds ends with one working connection and no error', async () => {
  const talker = await openPage(browser, daemon.url);
  await talker.click('#talk');
  await until(talker, 'talk', 'live');
  const cards = await Promise.all(
    [1, 2, 3].map(async () => (await openPage(browser, daemon.url)).evaluate(listenAsCard)),
  );
  for (const card of cards) {
    assert.ok(card.packets >= 50 && card.hasStream, JSON.stringify(card));
    assert.ok(!card.told.includes('error'), JSON.stringify(card));
  }
  assert.equal((await daemon.metrics()).voice_relay_receivers, cards.length);
});
