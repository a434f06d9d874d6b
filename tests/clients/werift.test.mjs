// werift: WebRTC in TypeScript alone.

import { after, before, test } from 'node:test';

import { MediaStreamTrack, RTCPeerConnection, RTCRtpCodecParameters } from 'werift';

import { fetchWithCuts, postOffer } from './files.mjs';
import { assertHeard, assertTone, post, startEar, startHouse, startTone } from './house.mjs';

const TONE = 520;

let house;

before(async () => {
  house = await startHouse(12_000_000);
});

after(() => house?.stop());

function peer() {
  const opus = new RTCRtpCodecParameters({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2, payloadType: 111 });
  return new RTCPeerConnection({ codecs: { audio: [opus], video: [] }, iceServers: [], iceUseIpv6: false });
}

async function begin(connection, path) {
  await connection.setLocalDescription(await connection.createOffer());
  const { answer, end } = await post(house, path, connection.localDescription.sdp);
  await connection.setRemoteDescription({ type: 'answer', sdp: answer });
  return end;
}

test('what werift sends is heard, and it hears it', async (context) => {
  const [sender, listener] = [peer(), peer()];
  const track = new MediaStreamTrack({ kind: 'audio' });
  sender.addTransceiver(track, { direction: 'sendonly' });
  const endSending = await begin(sender, 'whip/home');
  await startTone(context, TONE, 0x1234, (packet) => track.writeRtp(packet));
  await assertHeard(context, house, TONE);
  const ear = await startEar(context, house.folder);
  listener.addTransceiver('audio', { direction: 'recvonly' });
  listener.onTrack.subscribe((heard) => heard.onReceiveRtp.subscribe((rtp) => ear.hear(rtp.serialize())));
  const endHearing = await begin(listener, 'whep/latest');
  assertTone(await ear.samples, TONE);
  for (const [connection, end] of [[listener, endHearing], [sender, endSending]]) {
    await end();
    await connection.close();
  }
});

test('a file comes whole to werift, however often it is cut', async () => {
  await fetchWithCuts(house, async (events) => {
    const connection = peer();
    const channel = connection.createDataChannel('audioStream');
    channel.stateChanged.subscribe((state) => state === 'open' && events.opened());
    channel.onMessage.subscribe((data) => (typeof data === 'string' ? events.said(data) : events.chunk(data)));
    await connection.setLocalDescription(await connection.createOffer());
    await connection.setRemoteDescription({ type: 'answer', sdp: await postOffer(house, connection.localDescription.sdp) });
    return { say: (text) => channel.send(text), close: () => connection.close() };
  });
});
