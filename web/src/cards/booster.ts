// Louder than an audio element can be: the same sound through a gain of WebAudio. The session's own elements
// stay attached, since Chromium decodes remote audio only for them, but are silent meanwhile.

import type { VoiceSession } from '../session/session';

/** One stream that is made louder. */
interface Boosted {
  source: MediaStreamAudioSourceNode;
  gain: GainNode;
}

/** Makes what a session hears louder by a factor. */
export class Booster {
  /** 1 is as it comes. */
  factor = 1;

  private context: AudioContext | null = null;
  private readonly boosted = new Map<RTCPeerConnection, Boosted>();

  /** Boosts the streams that the session hears now. */
  follow(session: VoiceSession): void {
    const hears = this.factor > 1 ? session.connections.filter(({ role }) => role === 'hear') : [];
    for (const [peer, { gain, source }] of this.boosted) {
      if (hears.some((connection) => connection.peer === peer)) continue;
      source.disconnect();
      gain.disconnect();
      this.boosted.delete(peer);
    }
    for (const { peer, streamId } of hears) {
      const volume = session.view.streams.find(({ id }) => id === streamId)?.volume ?? 1;
      const gain = (this.boosted.get(peer) ?? this.begin(peer, session))?.gain;
      if (gain) gain.gain.value = volume * this.factor;
    }
    // Where the browser holds WebAudio back, the elements say so, and a tap lets both be heard.
    session.playedElsewhere = this.boosted.size > 0 && this.context?.state === 'running';
  }

  /** After a tap: lets be heard what the browser held back. */
  async unblock(): Promise<void> {
    await this.context?.resume();
  }

  close(): void {
    void this.context?.close();
    this.context = null;
    this.boosted.clear();
  }

  private begin(peer: RTCPeerConnection, session: VoiceSession): Boosted | null {
    const track = peer.getReceivers()[0]?.track;
    if (!track) return null;
    const context = (this.context ??= this.open(session));
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const gain = new GainNode(context);
    source.connect(gain).connect(context.destination);
    const boosted = { source, gain };
    this.boosted.set(peer, boosted);
    return boosted;
  }

  private open(session: VoiceSession): AudioContext {
    const context = new AudioContext({ latencyHint: 'interactive' });
    context.onstatechange = () => {
      this.follow(session);
    };
    return context;
  }
}
