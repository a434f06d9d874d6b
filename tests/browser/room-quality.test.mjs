// What a participant may send follows what the weakest of the others can bear: with packets that are really lost, in
// Chromium, without the page, for which this way would be no secure one.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { startBrowser } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { makeNetwork } from './network.mjs';

let network, daemon, browser;

before(async () => {
  network = makeNetwork();
  daemon = await startDaemon(undefined, network);
  browser = await startBrowser();
});

after(async () => {
  await browser?.close();
  await daemon?.stop();
  network?.remove();
});

/** A tab whose participant of `home` talks with a tone, or only listens; what it was told is in `window.told`. */
async function participant(name, talks) {
  const page = await (await browser.newContext()).newPage();
  await page.goto(daemon.url);
  await page.evaluate(
    async ([called, sends]) => {
      window.told = [];
      const socket = new WebSocket(new URL('ws', location.href.replace('http', 'ws')));
      const say = (message) => socket.send(JSON.stringify(message));
      const expect = (type) =>
        new Promise((resolve) =>
          socket.addEventListener('message', function hear({ data }) {
            const message = JSON.parse(data);
            if (message.type !== type) return;
            socket.removeEventListener('message', hear);
            resolve(message);
          }),
        );
      await new Promise((resolve) => socket.addEventListener('open', resolve));
      socket.addEventListener('message', ({ data }) => {
        const message = JSON.parse(data);
        if (message.type === 'bitrate') window.told.push(message.voice);
      });
      const joined = expect('joined');
      say({ type: 'join', room: 'home', name: called });
      await joined;
      const peer = new RTCPeerConnection();
      const voice = peer.addTransceiver('audio', { direction: 'sendonly' });
      peer.addTransceiver('audio', { direction: 'sendonly' });
      for (let slot = 0; slot < 2; slot++) peer.addTransceiver('audio', { direction: 'recvonly' });
      peer.ontrack = ({ track }) => {
        const audio = new Audio();
        audio.srcObject = new MediaStream([track]);
        void audio.play();
      };
      await peer.setLocalDescription();
      const answer = expect('answer');
      say({ type: 'offer', sdp: peer.localDescription.sdp });
      await peer.setRemoteDescription({ type: 'answer', sdp: (await answer).sdp });
      window.peer = peer;
      if (sends) {
        const context = new AudioContext();
        const [tone, sink] = [context.createOscillator(), context.createMediaStreamDestination()];
        tone.connect(sink);
        tone.start();
        await voice.sender.replaceTrack(sink.stream.getAudioTracks()[0]);
      }
    },
    [name, talks],
  );
  return page;
}

/** Waits until the talker was told something by which this holds; gives all that it was told. */
async function untilTold(page, holds, seconds) {
  await page.waitForFunction(holds, undefined, { timeout: seconds * 1_000 });
  return page.evaluate(() => window.told);
}

test('a fifth of the packets lost at a guest: its talker is told to send less, and more again when that is over', async () => {
  const [talker, guest] = [await participant('Talker', true), await participant('Guest', false)];
  await guest.waitForFunction(async () => {
    const reports = [...(await window.peer.getStats()).values()];
    return reports.some(({ type, packetsReceived }) => type === 'inbound-rtp' && packetsReceived > 50);
  });
  assert.deepEqual(await talker.evaluate(() => window.told), []);
  network.lose(20);
  const down = await untilTold(talker, () => window.told.at(-1) <= 32_000, 60);
  assert.ok(down.every((bitrate, index) => index === 0 || bitrate < down[index - 1]), `${down}`);
  network.mend();
  const up = await untilTold(talker, () => window.told.at(-1) === 64_000, 90);
  assert.ok(up.length > down.length);
});
