// node-datachannel: libdatachannel, WebRTC in C++, as OBS has it.

import { after, before, test } from 'node:test';

import nodeDataChannel from 'node-datachannel';

import { fetchWithCuts, postOffer } from './files.mjs';
import { assertHeard, assertTone, post, startEar, startHouse, startTone } from './house.mjs';

const TONE = 640;
const SSRC = 0x4321;

let house;

before(async () => {
  house = await startHouse(36_000_000);
});

after(() => house?.stop());

/** All that were made. What nobody holds any more is taken away in the midst of its work, or worse, afterwards. */
const held = [];

function peer() {
  const connection = new nodeDataChannel.PeerConnection('a test', { iceServers: [], disableAutoNegotiation: true });
  held.push(connection);
  return connection;
}

/** Its offer, with the addresses that it has. */
async function offerOf(connection) {
  const gathered = new Promise((resolve) => connection.onGatheringStateChange((state) => state === 'complete' && resolve()));
  connection.setLocalDescription('offer');
  await gathered;
  return connection.localDescription().sdp;
}

function audio(direction) {
  const line = new nodeDataChannel.Audio('audio', direction);
  line.addOpusCodec(111);
  if (direction === 'SendOnly') line.addSSRC(SSRC, 'a-test');
  return line;
}

async function begin(connection, path) {
  const { answer, end } = await post(house, path, await offerOf(connection));
  connection.setRemoteDescription(answer, 'answer');
  return end;
}

test('what libdatachannel sends is heard, and it hears it', async (context) => {
  const [sender, listener] = [peer(), peer()];
  const voice = sender.addTrack(audio('SendOnly'));
  const endSending = await begin(sender, 'whip/home');
  await startTone(context, TONE, SSRC, (packet) => voice.isOpen() && voice.sendMessageBinary(packet));
  await assertHeard(context, house, TONE);
  const ear = await startEar(context, house.folder);
  const heard = listener.addTrack(audio('RecvOnly'));
  heard.onMessage((packet) => isAudio(packet) && ear.hear(packet));
  held.push(voice, heard);
  const endHearing = await begin(listener, 'whep/latest');
  assertTone(await ear.samples, TONE);
  for (const [connection, end] of [[listener, endHearing], [sender, endSending]]) {
    await end();
    connection.close();
  }
});

/** It hands out RTCP as well (RFC 5761 4). */
function isAudio(packet) {
  return packet[1] < 192 || packet[1] > 223;
}

test('a file comes whole to libdatachannel, however often it is cut', async () => {
  await fetchWithCuts(house, async (events) => {
    const connection = peer();
    const channel = connection.createDataChannel('audioStream');
    channel.onOpen(events.opened);
    channel.onMessage((data) => (typeof data === 'string' ? events.said(data) : events.chunk(data)));
    connection.setRemoteDescription(await postOffer(house, await offerOf(connection)), 'answer');
    const say = (text) => channel.sendMessage(text);
    const close = async () => {
      const closed = new Promise((resolve) => channel.onClosed(resolve));
      channel.close();
      await closed;
      connection.close();
    };
    return { say, close };
  });
});
