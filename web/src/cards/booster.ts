// Louder than an audio element can be: the same sound through a gain of WebAudio. The rooms' own elements stay attached,
// since Chromium decodes remote audio only for them, but are silent meanwhile.

import type { HouseSession } from '../house/house-session';

/** One sound that is made louder. */
interface Boosted {
  source: MediaStreamAudioSourceNode;
  gain: GainNode;
}

/** Makes what a session hears louder by a factor. */
export class Booster {
  /** 1 is as it comes. */
  factor = 1;

  private context: AudioContext | null = null;
  private readonly boosted = new Map<MediaStreamTrack, Boosted>();

  /** Boosts what the session hears now. */
  follow(session: HouseSession): void {
    const rooms = session.rooms;
    const sounds = this.factor > 1 ? rooms.flatMap((room) => room.sounds) : [];
    for (const [track, { gain, source }] of this.boosted) {
      if (sounds.some((sound) => sound.track === track)) continue;
      source.disconnect();
      gain.disconnect();
      this.boosted.delete(track);
    }
    for (const { track, volume } of sounds) {
      const { gain } = this.boosted.get(track) ?? this.begin(track, session);
      gain.gain.value = volume * this.factor;
    }
    // Where the browser holds WebAudio back, the elements say so, and a tap lets both be heard.
    const isPlaying = this.boosted.size > 0 && this.context?.state === 'running';
    for (const room of rooms) room.playedElsewhere = isPlaying;
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

  private begin(track: MediaStreamTrack, session: HouseSession): Boosted {
    const context = (this.context ??= this.open(session));
    const source = context.createMediaStreamSource(new MediaStream([track]));
    const gain = new GainNode(context);
    source.connect(gain).connect(context.destination);
    const boosted = { source, gain };
    this.boosted.set(track, boosted);
    return boosted;
  }

  private open(session: HouseSession): AudioContext {
    const context = new AudioContext({ latencyHint: 'interactive' });
    context.onstatechange = () => {
      this.follow(session);
    };
    return context;
  }
}
