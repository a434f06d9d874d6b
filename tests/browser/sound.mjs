// Sounds for microphones, made here, and measures of what was heard.

import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const RATE = 48_000;

/** A sentence spoken by a machine; gives the path of the WAV file. */
export function speak(folder) {
  const [spoken, path] = [join(folder, 'spoken.wav'), join(folder, 'speech.wav')];
  const text = 'Dinner is ready. Please wash your hands and come down to the kitchen, all of you, before it gets cold.';
  execFileSync('espeak-ng', ['-w', spoken, text]);
  execFileSync('sox', [spoken, '-r', String(RATE), '-c', '1', '-b', '16', path]);
  return path;
}

/** Short beeps of this frequency, which noise suppression leaves alone; gives the path of the WAV file. */
export function beep(folder, frequency) {
  const path = join(folder, `beep-${frequency}.wav`);
  const one = ['synth', '0.25', 'sine', String(frequency), 'gain', '-6', 'pad', '0', '0.35', 'repeat', '9'];
  execFileSync('sox', ['-n', '-r', String(RATE), '-c', '1', '-b', '16', path, ...one]);
  return path;
}

/** Samples of a WAV file of 16 bits, mono. */
export function readWav(path) {
  const bytes = readFileSync(path).subarray(44);
  return Float64Array.from({ length: bytes.length >> 1 }, (_, index) => bytes.readInt16LE(index * 2));
}

/** Loudness every 10 ms, on a scale of decibels: what of speech survives every codec. */
function envelope(samples) {
  const step = RATE / 100;
  return Float64Array.from({ length: Math.floor(samples.length / step) }, (_, index) => {
    const frame = samples.subarray(index * step, (index + 1) * step);
    const power = frame.reduce((sum, sample) => sum + sample * sample, 0) / step;
    return Math.max(10 * Math.log10(power + 1), 20);
  });
}

/** Correlation of what was heard with its source, repeated, at the best delay: 1 is the same, 0 has nothing in common. */
export function likeness(heard, source) {
  const [wanted, loop] = [envelope(heard), envelope(source)];
  let best = -1;
  for (let delay = 0; delay < loop.length; delay++) {
    const played = Float64Array.from(wanted, (_, index) => loop[(index + delay) % loop.length]);
    best = Math.max(best, correlation(wanted, played));
  }
  return best;
}

function correlation(a, b) {
  const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [product, powerA, powerB] = [0, 0, 0];
  a.forEach((value, index) => {
    const [x, y] = [value - meanA, b[index] - meanB];
    product += x * y;
    powerA += x * x;
    powerB += y * y;
  });
  return product / Math.sqrt(powerA * powerB || 1);
}

/** Power at this frequency (Goertzel). */
export function powerAt(frequency, samples) {
  const coefficient = 2 * Math.cos((2 * Math.PI * frequency) / RATE);
  let [before, now] = [0, 0];
  for (const sample of samples) [before, now] = [now, sample + coefficient * now - before];
  return (now * now + before * before - coefficient * now * before) / samples.length;
}
