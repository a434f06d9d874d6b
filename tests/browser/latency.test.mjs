// From "talk" to the first audio at a listener that is already there: by the relay, and directly from one
// peer connection to another in the same page. Printed; the bound is generous, since the machine is shared.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { openPage, startBrowser, until, untilHeard } from './browser.mjs';
import { startDaemon } from './daemon.mjs';
import { beep } from './sound.mjs';

const ROUNDS = 9;

/** What going by the relay may cost beyond the direct way, on any machine. On a quiet one it is below 120. */
const BOUND_MS = 500;

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

/**
 * Runs in the listener's page: the moment when the first packet of the next stream was decoded and
 * played, on a clock that all pages share. To be called before anybody talks.
 */
function firstHeard() {
  return new Promise((resolve) => {
    const sources = () => window.voiceRelay.connections.flatMap(({ peer }) => peer.getReceivers()).flatMap((receiver) => receiver.getSynchronizationSources());
    // Whoever was heard before is known still.
    const before = sources().map(({ timestamp }) => timestamp);
    const look = () => {
      const source = sources().find(({ timestamp }) => !before.includes(timestamp));
      if (source) resolve(performance.timeOrigin + performance.now());
      else setTimeout(look, 2);
    };
    look();
  });
}

/** Runs in the talker's page: talks, as a press of the button does; gives the moment of the press. */
function press() {
  const pressed = performance.timeOrigin + performance.now();
  void window.voiceRelay.talk();
  return pressed;
}

/** Runs in a page: the same from microphone to ear, with nothing between; gives how long it took. */
async function direct() {
  const began = performance.now();
  const [sender, receiver] = [new RTCPeerConnection(), new RTCPeerConnection()];
  const audio = new Audio();
  sender.onicecandidate = ({ candidate }) => candidate && receiver.addIceCandidate(candidate);
  receiver.onicecandidate = ({ candidate }) => candidate && sender.addIceCandidate(candidate);
  receiver.ontrack = (event) => {
    event.receiver.jitterBufferTarget = 0;
    audio.srcObject = event.streams[0];
    void audio.play();
  };
  const microphone = await navigator.mediaDevices.getUserMedia({ audio: true });
  sender.addTrack(microphone.getAudioTracks()[0], microphone);
  await sender.setLocalDescription(await sender.createOffer());
  await receiver.setRemoteDescription(sender.localDescription);
  await receiver.setLocalDescription(await receiver.createAnswer());
  await sender.setRemoteDescription(receiver.localDescription);
  while (!receiver.getReceivers()[0].getSynchronizationSources().length) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  const took = performance.now() - began;
  for (const track of microphone.getTracks()) track.stop();
  sender.close();
  receiver.close();
  audio.srcObject = null;
  return took;
}

async function byRelay(talker, listener) {
  const heard = listener.evaluate(firstHeard);
  const pressed = await talker.evaluate(press);
  const took = (await heard) - pressed;
  await talker.evaluate(() => window.voiceRelay.stopTalking());
  await untilHeard(listener, 0);
  return took;
}

test('from the press to the ear, by the relay and directly', async (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'voice-relay-'));
  const [daemon, browser] = [await startDaemon(), await startBrowser(beep(folder, 700))];
  try {
    const [talker, listener] = [await openPage(browser, daemon.url), await openPage(browser, daemon.url)];
    await listener.click('#listen');
    await until(listener, 'listen', 'on');
    const [relayed, straight] = [[], []];
    for (let round = 0; round < ROUNDS; round++) {
      relayed.push(await byRelay(talker, listener));
      straight.push(await talker.evaluate(direct));
    }
    const beyond = median(relayed) - median(straight);
    context.diagnostic(`by the relay: median ${median(relayed).toFixed(0)} ms of ${relayed.map(Math.round)}`);
    context.diagnostic(`directly: median ${median(straight).toFixed(0)} ms of ${straight.map(Math.round)}`);
    context.diagnostic(`the relay costs ${beyond.toFixed(0)} ms`);
    assert.ok(beyond < BOUND_MS, `the relay costs ${beyond} ms`);
  } finally {
    await browser.close();
    await daemon.stop();
    rmSync(folder, { recursive: true });
  }
});
