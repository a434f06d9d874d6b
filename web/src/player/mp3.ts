// As much of MP3 as it takes to begin in the middle: where frames begin, and which byte is played when.

const SAMPLES = { 1: 1_152, 2: 576 } as const;
const RATES = [44_100, 48_000, 32_000] as const;
const BITRATES = {
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
  2: [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
} as const;

/** Entries of the table that a Xing header has: the byte, as a share of 256, at each percent of the time. */
const XING_ENTRIES = 100;

/** Bytes of the frame whose header is here (ISO 11172-3 2.4.1.3, layer III), or 0 where none is. */
export function frameLength(bytes: Uint8Array, at: number): number {
  const [sync = 0, kind = 0, rates = 0] = bytes.subarray(at, at + 3);
  const version = (kind >> 3) & 3;
  if (sync !== 0xff || kind >> 5 !== 7 || ((kind >> 1) & 3) !== 1 || version === 1) return 0;
  const layout = version === 3 ? 1 : 2;
  const bitrate = BITRATES[layout][rates >> 4] ?? 0;
  const rate = (RATES[(rates >> 2) & 3] ?? 0) / (version === 3 ? 1 : version === 2 ? 2 : 4);
  if (!bitrate || !rate) return 0;
  return Math.floor((SAMPLES[layout] / 8) * ((bitrate * 1_000) / rate)) + ((rates >> 1) & 1);
}

/** Where the first frame begins that another one follows, from a byte on; null where none does. */
export function firstFrame(bytes: Uint8Array, from = 0): number | null {
  for (let at = from; at + 4 < bytes.length; at++) {
    const length = frameLength(bytes, at);
    // One header may be chance; two at the right distance are not.
    if (length && frameLength(bytes, at + length)) return at;
  }
  return null;
}

/** Bytes of the tags in front of everything (ID3v2), 0 where there are none. */
function tagLength(bytes: Uint8Array): number {
  if (String.fromCharCode(...bytes.subarray(0, 3)) !== 'ID3') return 0;
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(6, 10);
  return 10 + ((a << 21) | (b << 14) | (c << 7) | d);
}

/** The table of a Xing header in the first frame, if it has one. */
function xingTable(bytes: Uint8Array, frame: number): Uint8Array | null {
  const head = bytes.subarray(frame, frame + 200);
  const at = Array.from(head).findIndex((_, index) => ['Xing', 'Info'].includes(String.fromCharCode(...head.subarray(index, index + 4))));
  if (at < 0) return null;
  const flags = head[at + 7] ?? 0;
  const table = at + 8 + (flags & 1 ? 4 : 0) + (flags & 2 ? 4 : 0);
  const entries = bytes.subarray(frame + table, frame + table + XING_ENTRIES);
  return flags & 4 && entries.length === XING_ENTRIES ? entries : null;
}

/** Which byte of a file is played when: exactly with a constant bitrate, else nearly. */
export class Timetable {
  private readonly start: number;
  private readonly table: Uint8Array | null;

  /** `head` is how the file begins. */
  constructor(
    head: Uint8Array,
    private readonly size: number,
    private readonly duration: number,
  ) {
    // A large picture in the tags may be longer than what is here of the file.
    this.start = Math.min(tagLength(head), size);
    const frame = firstFrame(head, this.start);
    this.table = frame === null ? null : xingTable(head, frame);
  }

  byteAt(seconds: number): number {
    const share = Math.min(Math.max(seconds / this.duration, 0), 1);
    return Math.floor(this.start + this.bytesBy(share) * (this.size - this.start));
  }

  timeOf(byte: number): number {
    const share = Math.min(Math.max((byte - this.start) / (this.size - this.start || 1), 0), 1);
    return this.timeBy(share) * this.duration;
  }

  /** The share of the bytes that is played by this share of the time. */
  private bytesBy(share: number): number {
    const percent = Math.min(Math.floor(share * XING_ENTRIES), XING_ENTRIES - 1);
    const [low, high] = [this.entry(percent), this.entry(percent + 1)];
    return low + (high - low) * (share * XING_ENTRIES - percent);
  }

  private timeBy(share: number): number {
    let percent = 0;
    while (percent < XING_ENTRIES - 1 && this.entry(percent + 1) <= share) percent++;
    const [low, high] = [this.entry(percent), this.entry(percent + 1)];
    return (percent + (high > low ? (share - low) / (high - low) : 0)) / XING_ENTRIES;
  }

  private entry(percent: number): number {
    if (percent >= XING_ENTRIES) return 1;
    return this.table ? (this.table[percent] ?? 0) / 256 : percent / XING_ENTRIES;
  }
}
