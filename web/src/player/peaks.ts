// How loud a file is from its beginning to its end, as far as it has come: what a waveform is drawn from.

/** Columns of a waveform. */
export const COLUMNS = 300;

/** Enough to see loudness, and a sixth of the memory that the sound itself takes. */
const RATE = 8_000;

/** Seconds of sound that are decoded at once for a drawing; more would take too much memory. */
const DECODED_MOST = 20 * 60;

export class Peaks {
  /** From 0 to 1; what has not come yet is 0. */
  readonly columns = new Float32Array(COLUMNS);
  private isOver = false;
  /** One is decoded after the other. */
  private work: Promise<void> = Promise.resolve();

  constructor(private readonly changed: () => void) {}

  /** Takes encoded sound: what is played from one share of the file to another, so many seconds long. */
  take(bytes: ArrayBuffer, from: number, to: number, seconds: number): void {
    if (!(seconds <= DECODED_MOST)) return;
    this.work = this.work.then(() => this.decode(bytes, from, to));
  }

  close(): void {
    this.isOver = true;
  }

  private async decode(bytes: ArrayBuffer, from: number, to: number): Promise<void> {
    if (this.isOver) return;
    try {
      const sound = await new OfflineAudioContext(1, 1, RATE).decodeAudioData(bytes);
      note(this.columns, sound.getChannelData(0), from, to);
      this.changed();
    } catch {
      // Then it is not drawn; whether it can be played is told by those who play it.
    }
  }
}

/** Enters the loudest sample of each column that these samples touch. */
export function note(columns: Float32Array, samples: Float32Array, from: number, to: number): void {
  for (const [index, sample] of samples.entries()) {
    const share = from + ((to - from) * index) / samples.length;
    const column = Math.min(Math.floor(share * columns.length), columns.length - 1);
    columns[column] = Math.max(columns[column] ?? 0, Math.min(Math.abs(sample), 1));
  }
}
