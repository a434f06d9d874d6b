// Whether UDP gets through to the relay's two ports, tried by connections that carry nothing and are ended at once.

import { udpPortOf } from '../session/carriage';

/** What came of a try. `unknown`: the relay let us not even try. */
export interface UdpFact {
  result: 'reached' | 'blocked' | 'unknown';
  port: number | null;
}

const UNKNOWN: UdpFact = { result: 'unknown', port: null };

/** What has no way by then has none. */
const PATIENCE_MS = 5_000;

/** Tries the port of voices, as somebody who would hear this room. */
export async function probeVoices(base: URL, roomId: string): Promise<UdpFact> {
  return probe(
    (peer) => peer.addTransceiver('audio', { direction: 'recvonly' }),
    async (sdp) => {
      const at = new URL(`whep/${roomId}`, base);
      const answer = await fetch(at, { method: 'POST', headers: { 'Content-Type': 'application/sdp' }, body: sdp });
      if (!answer.ok) return null;
      const session = new URL(answer.headers.get('Location') ?? '', at);
      return { sdp: await answer.text(), end: () => fetch(session, { method: 'DELETE' }) };
    },
  );
}

/** Tries the port of files. */
export async function probeFiles(base: URL): Promise<UdpFact> {
  return probe(
    (peer) => peer.createDataChannel('audioStream'),
    async (sdp) => {
      const answer = await fetch(new URL('api/offer', base), {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ offer: { type: 'offer', sdp }, clientId: 'probe', waits: true }),
      });
      if (!answer.ok) return null;
      return { sdp: ((await answer.json()) as { answer: { sdp: string } }).answer.sdp, end: () => Promise.resolve() };
    },
  );
}

/** The relay's description, and how to tell it that we go. */
interface Answered {
  sdp: string;
  end(): Promise<unknown>;
}

async function probe(prepare: (peer: RTCPeerConnection) => unknown, exchange: (sdp: string) => Promise<Answered | null>): Promise<UdpFact> {
  const peer = new RTCPeerConnection({ iceServers: [] });
  try {
    prepare(peer);
    await peer.setLocalDescription();
    const answered = await exchange(peer.localDescription?.sdp ?? '');
    if (!answered) return UNKNOWN;
    const connected = new Promise<boolean>((resolve) => {
      peer.onconnectionstatechange = () => {
        if (peer.connectionState === 'connected') resolve(true);
      };
      setTimeout(resolve, PATIENCE_MS, false);
    });
    await peer.setRemoteDescription({ type: 'answer', sdp: answered.sdp });
    const isReached = await connected;
    await answered.end().catch(() => undefined);
    return { result: isReached ? 'reached' : 'blocked', port: udpPortOf(answered.sdp) };
  } catch {
    return UNKNOWN;
  } finally {
    peer.close();
  }
}
