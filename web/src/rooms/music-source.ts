// Where music comes from: what a tab or the system plays, a file, or a second microphone. In stereo, and as it
// is: what makes a voice clear ruins music.

import { problemOf } from '../session/microphone';

/** Why there is no music. */
export type MusicProblem =
  /** The person shared something that has no sound, or did not tick the box for it. */
  | 'silent'
  /** The person thought better of it. */
  | 'declined'
  /** This browser cannot share sound. */
  | 'unsupported'
  /** The file cannot be played. */
  | 'unplayable'
  /** There is no such microphone, or it is in use. */
  | 'no_microphone';

/** Music cannot be had, and why. */
export class MusicError extends Error {
  constructor(readonly problem: MusicProblem) {
    super(problem);
  }
}

/** A file being played: what its buttons do. */
export interface FilePlayer {
  readonly paused: boolean;
  /** Seconds. */
  readonly position: number;
  readonly length: number;
  volume: number;
  toggle(): void;
  seek(seconds: number): void;
}

/** One source, open. */
export interface MusicSource {
  readonly title: string;
  readonly track: MediaStreamTrack;
  /** Only of a file. */
  readonly player: FilePlayer | null;
  /** Called when it ends by itself. */
  onended: () => void;
  /** Called when what there is to show has changed. */
  onchange: () => void;
  close(): void;
}

/** As it is, in both channels. */
const UNTOUCHED = { echoCancellation: false, noiseSuppression: false, autoGainControl: false, channelCount: 2 };

/** Whether this browser can share what it plays. */
export function canShareScreen(): boolean {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  return devices !== undefined && 'getDisplayMedia' in devices;
}

/** What a tab, or the system, plays. The browser asks which, and shows a picture that we do not want. */
export async function shareScreen(): Promise<MusicSource> {
  if (!canShareScreen()) throw new MusicError('unsupported');
  const wish: DisplayMediaStreamOptions & { systemAudio: string } = {
    audio: { ...UNTOUCHED, suppressLocalAudioPlayback: false } as MediaTrackConstraints,
    video: true,
    systemAudio: 'include',
  };
  const stream = await navigator.mediaDevices.getDisplayMedia(wish).catch((error: unknown) => {
    throw new MusicError(problemOf(error).code === 'denied' ? 'declined' : 'unsupported');
  });
  for (const picture of stream.getVideoTracks()) picture.stop();
  const [track] = stream.getAudioTracks();
  if (!track) throw new MusicError('silent');
  return captured(track, '');
}

/** A second microphone, or whatever is plugged in as one. */
export async function openInput(deviceId: string, title: string): Promise<MusicSource> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { ...UNTOUCHED, deviceId: { exact: deviceId } } }).catch(() => {
    throw new MusicError('no_microphone');
  });
  const [track] = stream.getAudioTracks();
  if (!track) throw new MusicError('no_microphone');
  return captured(track, title);
}

/** A file of this device; whoever plays it hears it, too. */
export async function openFile(file: File): Promise<MusicSource> {
  const source = new FileSource(file);
  await source.begin();
  return source;
}

function captured(track: MediaStreamTrack, title: string): MusicSource {
  track.contentHint = 'music';
  const source: MusicSource = {
    title,
    track,
    player: null,
    onended: () => undefined,
    onchange: () => undefined,
    close() {
      track.onended = null;
      track.stop();
    },
  };
  track.onended = () => {
    source.onended();
  };
  return source;
}

/** A file through WebAudio: to the room, and to our own ears. */
class FileSource implements MusicSource, FilePlayer {
  readonly title: string;
  readonly track: MediaStreamTrack;
  readonly player = this;
  onended = (): void => undefined;
  onchange = (): void => undefined;

  private readonly context = new AudioContext();
  private readonly audio = new Audio();
  private readonly gain = new GainNode(this.context);
  private readonly address: string;

  constructor(file: File) {
    this.title = file.name.replace(/\.\w+$/, '');
    this.address = URL.createObjectURL(file);
    this.audio.src = this.address;
    const output = new MediaStreamAudioDestinationNode(this.context, { channelCount: 2 });
    this.context.createMediaElementSource(this.audio).connect(this.gain);
    this.gain.connect(output);
    this.gain.connect(this.context.destination);
    this.track = output.stream.getAudioTracks()[0] as MediaStreamTrack;
    this.track.contentHint = 'music';
  }

  async begin(): Promise<void> {
    this.audio.onended = () => {
      this.onended();
    };
    for (const event of ['play', 'pause', 'timeupdate', 'durationchange']) {
      this.audio.addEventListener(event, () => {
        this.onchange();
      });
    }
    try {
      await this.context.resume();
      await this.audio.play();
    } catch {
      this.close();
      throw new MusicError('unplayable');
    }
  }

  get paused(): boolean {
    return this.audio.paused;
  }

  get position(): number {
    return this.audio.currentTime;
  }

  get length(): number {
    return Number.isFinite(this.audio.duration) ? this.audio.duration : 0;
  }

  get volume(): number {
    return this.gain.gain.value;
  }

  set volume(volume: number) {
    this.gain.gain.value = volume;
    this.onchange();
  }

  toggle(): void {
    if (this.audio.paused) void this.audio.play();
    else this.audio.pause();
  }

  seek(seconds: number): void {
    this.audio.currentTime = seconds;
  }

  close(): void {
    this.audio.onended = null;
    this.audio.pause();
    this.audio.removeAttribute('src');
    URL.revokeObjectURL(this.address);
    this.track.stop();
    void this.context.close();
  }
}
