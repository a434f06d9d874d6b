// A microphone that is open and gives nothing: switched off by a key on the device, or not the one that is spoken into.
// Nobody would know otherwise, since the connection is fine and the button is red.

/** A microphone has so long to give its first sound. */
export const SILENT_MS = 3_000;

/** How often to look. */
const LOOK_MS = 250;

/**
 * Watches a microphone until its first sound. Digital silence alone counts: every real microphone has some noise, though
 * what suppresses noise may turn it to zeros later on.
 */
export class SilenceWatch {
  /** Nothing but zeros has come for {@link SILENT_MS}. */
  isSilent = false;

  private context: AudioContext | null = null;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor(private readonly changed: () => void) {}

  /** Watches this microphone from now on, and no other; null: none. */
  follow(track: MediaStreamTrack | null): void {
    this.stop();
    this.tell(false);
    if (!track) return;
    const context = new AudioContext();
    const analyser = new AnalyserNode(context);
    try {
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    } catch {
      // Firefox measures no microphone whose rate is not the loudspeaker's. Nothing is said of it then; it is heard.
      void context.close();
      return;
    }
    const samples = new Float32Array(analyser.fftSize);
    let silentFor = 0;
    this.context = context;
    this.timer = setInterval(() => {
      // While we mute it, zeros are what we asked for; and what does not run measures nothing.
      if (!track.enabled || context.state !== 'running') return;
      analyser.getFloatTimeDomainData(samples);
      silentFor += LOOK_MS;
      if (samples.some((sample) => sample !== 0)) {
        this.stop();
        this.tell(false);
      } else if (silentFor >= SILENT_MS) {
        this.tell(true);
      }
    }, LOOK_MS);
  }

  private stop(): void {
    clearInterval(this.timer);
    void this.context?.close();
    this.context = null;
  }

  private tell(isSilent: boolean): void {
    if (isSilent === this.isSilent) return;
    this.isSilent = isSilent;
    this.changed();
  }
}
