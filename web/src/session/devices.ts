// The microphones and loudspeakers of this device, as far as the browser tells of them.

/** A microphone or loudspeaker to choose. */
export interface AudioDevice {
  id: string;
  /** Empty until the microphone has been allowed once. */
  label: string;
}

/** What there is to choose from. */
export interface AudioDevices {
  microphones: AudioDevice[];
  /** Empty where the browser plays on one loudspeaker only. */
  loudspeakers: AudioDevice[];
}

/** Chromium's second names for devices that it lists besides; choosing nothing means the first of them. */
const SECOND_NAMES = ['default', 'communications'];

/** The devices of one kind: each once, and none without an id, as they come before the first permission. */
export function devicesOf(kind: MediaDeviceKind, all: readonly MediaDeviceInfo[]): AudioDevice[] {
  const found = new Map<string, AudioDevice>();
  for (const { kind: its, deviceId: id, label } of all) {
    if (its === kind && id && !SECOND_NAMES.includes(id)) found.set(id, { id, label });
  }
  return [...found.values()];
}

/** Whether sound can be moved to a loudspeaker of one's choice. */
export function canChooseLoudspeaker(): boolean {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** Plays an element's sound on this loudspeaker; on the browser's default when it is not there. */
export async function playOn(loudspeaker: string, audio: HTMLMediaElement): Promise<void> {
  if (!canChooseLoudspeaker() || audio.sinkId === loudspeaker) return;
  try {
    await audio.setSinkId(loudspeaker);
  } catch {
    if (audio.sinkId) await audio.setSinkId('').catch(() => undefined);
  }
}

/** Follows the devices that there are. */
export class DeviceList {
  now: AudioDevices = { microphones: [], loudspeakers: [] };

  // Absent on insecure pages, whatever the types say.
  private readonly media = navigator.mediaDevices as MediaDevices | undefined;
  private readonly refresh = () => void this.look();

  /** `changed` is told after every look. */
  constructor(private readonly changed: () => void) {}

  /** Looks now, and whenever something is plugged in or out. */
  watch(): void {
    this.media?.addEventListener('devicechange', this.refresh);
    this.refresh();
  }

  unwatch(): void {
    this.media?.removeEventListener('devicechange', this.refresh);
  }

  /** Looks now: the browser tells labels only once the microphone is allowed. */
  async look(): Promise<void> {
    try {
      const all = (await this.media?.enumerateDevices()) ?? [];
      this.now = {
        microphones: devicesOf('audioinput', all),
        loudspeakers: canChooseLoudspeaker() ? devicesOf('audiooutput', all) : [],
      };
    } catch {
      // The browser keeps them to itself; its default devices work all the same.
    }
    this.changed();
  }
}
