// Loudness as people see it: a share of the meter, from silence to full scale.

/** What a meter shows as its bottom, in dB below full scale. */
const FLOOR_DB = -60;

/** From decibels (0 the loudest) to a share from 0 to 1. */
export function shareOfDecibels(decibels: number): number {
  return Math.min(1, Math.max(0, 1 - decibels / FLOOR_DB));
}

/** Root mean square of samples from -1 to 1, in decibels. */
export function decibelsOf(samples: Float32Array): number {
  const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / Math.max(1, samples.length);
  return 10 * Math.log10(Math.max(power, 1e-12));
}
