// A short chime of two notes, made here, to hear whether the loudspeaker is the right one.

import { playOn } from './devices';

/** Hertz, and seconds from the beginning: a third down, as doorbells do. */
const NOTES = [
  { pitch: 659.26, at: 0 },
  { pitch: 523.25, at: 0.22 },
] as const;

/** A note fades away within so many seconds. */
const FADE_SECONDS = 0.7;

/** Loudness of one note; both together stay below full scale. */
const LOUDNESS = 0.3;

/** Plays the chime on this loudspeaker; done when it has faded away. */
export async function chime(loudspeaker: string): Promise<void> {
  await sound(loudspeaker, (context, output) => Promise.all(NOTES.map(({ pitch, at }) => strike(context, output, pitch, context.currentTime + at))));
}

/** Plays what is made of an output, on this loudspeaker; done when that is. Throws where the browser wants a tap first. */
export async function sound(loudspeaker: string, make: (context: AudioContext, output: AudioNode) => Promise<unknown>): Promise<void> {
  const context = new AudioContext();
  const output = context.createMediaStreamDestination();
  // Through an element, since more browsers let these choose a loudspeaker than contexts.
  const audio = new Audio();
  audio.srcObject = output.stream;
  try {
    await playOn(loudspeaker, audio);
    await audio.play();
    await make(context, output);
  } finally {
    audio.srcObject = null;
    await context.close();
  }
}

/** One note, like a bell: at once there, then fading. */
export function strike(context: AudioContext, output: AudioNode, frequency: number, at: number, loud = LOUDNESS): Promise<void> {
  const [note, loudness] = [new OscillatorNode(context, { frequency }), new GainNode(context, { gain: 0 })];
  loudness.gain.setValueAtTime(0, at);
  loudness.gain.linearRampToValueAtTime(loud, at + 0.01);
  loudness.gain.exponentialRampToValueAtTime(0.001, at + FADE_SECONDS);
  note.connect(loudness).connect(output);
  note.start(at);
  note.stop(at + FADE_SECONDS);
  return new Promise((resolve) => {
    note.onended = () => {
      resolve();
    };
  });
}
