// Recording what somebody says, as a file that every relay plays: browsers record each in a format of their own, so it is
// decoded again here and written as WAV.

import type { Choices } from '../session/choices';
import { openMicrophone } from '../session/microphone';

/** Samples a second: all of a voice, at half the size of what the relay plays. */
const RATE = 24_000;

/** Nobody listens longer. */
export const LONGEST_MS = 60_000;

/** One recording, from the first word to the last. */
export class Recorder {
  private constructor(
    readonly track: MediaStreamTrack,
    private readonly recorder: MediaRecorder,
    private readonly parts: Blob[],
  ) {}

  /** Opens the microphone and begins. Fails as {@link openMicrophone} does. */
  static async begin(choices: Choices): Promise<Recorder> {
    const track = await openMicrophone(choices);
    try {
      const recorder = new MediaRecorder(new MediaStream([track]));
      const parts: Blob[] = [];
      recorder.ondataavailable = ({ data }) => parts.push(data);
      recorder.start();
      return new Recorder(track, recorder, parts);
    } catch (error) {
      track.stop();
      throw error;
    }
  }

  /** Ends it, and gives what was said; null when nothing was. */
  async finish(): Promise<Blob | null> {
    const ended = new Promise((resolve) => {
      this.recorder.onstop = resolve;
    });
    this.recorder.stop();
    await ended;
    this.track.stop();
    const whole = await new Blob(this.parts).arrayBuffer();
    if (!whole.byteLength) return null;
    try {
      return waveOf(await monoOf(whole));
    } catch {
      // What is too short has no sound in it that a browser could read.
      return null;
    }
  }

  /** Ends it, and throws it away. */
  discard(): void {
    if (this.recorder.state !== 'inactive') this.recorder.stop();
    this.track.stop();
  }
}

async function monoOf(encoded: ArrayBuffer): Promise<Float32Array> {
  // Contexts that play nothing need no tap.
  const decoded = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(encoded);
  const mixing = new OfflineAudioContext(1, decoded.length, RATE);
  const source = new AudioBufferSourceNode(mixing, { buffer: decoded });
  source.connect(mixing.destination);
  source.start();
  return (await mixing.startRendering()).getChannelData(0);
}

/** These samples as a WAV file: one channel, 16 bits. */
export function waveOf(samples: Float32Array): Blob {
  const bytes = new DataView(new ArrayBuffer(44 + 2 * samples.length));
  const text = (at: number, word: string) => {
    for (const [index, letter] of Array.from(word).entries()) bytes.setUint8(at + index, letter.charCodeAt(0));
  };
  text(0, 'RIFF');
  bytes.setUint32(4, 36 + 2 * samples.length, true);
  text(8, 'WAVEfmt ');
  bytes.setUint32(16, 16, true);
  // PCM, one channel.
  bytes.setUint16(20, 1, true);
  bytes.setUint16(22, 1, true);
  bytes.setUint32(24, RATE, true);
  bytes.setUint32(28, RATE * 2, true);
  bytes.setUint16(32, 2, true);
  bytes.setUint16(34, 16, true);
  text(36, 'data');
  bytes.setUint32(40, 2 * samples.length, true);
  samples.forEach((sample, index) => {
    bytes.setInt16(44 + 2 * index, Math.max(-1, Math.min(1, sample)) * 32_767, true);
  });
  return new Blob([bytes], { type: 'audio/wav' });
}
