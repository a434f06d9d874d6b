// Our voice in a room: the microphone, and the truth about it. The connection is there already, so a press of
// the button only opens the microphone and puts its track there.

import type { Choices } from '../session/choices';
import { MicrophoneError, openMicrophone } from '../session/microphone';
import type { Problem } from '../session/problem';
import { HOLD_MICROPHONE_MS, type TalkState } from '../session/talker';

/** What a voice needs of the room it speaks in. */
export interface VoicePlace {
  choices(): Choices;
  /** Whether we are in the room, and sound gets there. */
  isReady(): boolean;
  carry(track: MediaStreamTrack | null): Promise<void>;
  /** Tells the relay that we begin, or have ended. */
  say(on: boolean): void;
  changed(): void;
}

/** The speaking half of a participant. */
export class RoomVoice {
  state: TalkState = 'idle';
  /** Why it failed; while live, why the microphone chosen last is not the one in use. */
  problem: Problem | null = null;
  /** The open microphone, if it is. */
  track: MediaStreamTrack | null = null;

  private hold: ReturnType<typeof setTimeout> | undefined;
  /** Grows with every start and stop, so that a microphone that opens too late is closed. */
  private round = 0;

  constructor(private readonly place: VoicePlace) {}

  /** Whether the microphone captures, by its own account. */
  get isMicrophoneOpen(): boolean {
    return this.track?.readyState === 'live';
  }

  /** The person has asked for it, and nothing has ended it. */
  get isWanted(): boolean {
    return this.state !== 'idle' && this.state !== 'failed';
  }

  /** Opens the microphone and begins to send. */
  async start(): Promise<void> {
    if (this.isWanted) return;
    performance.mark('room-talk');
    this.problem = null;
    this.set('starting');
    // Said first, so that no packet waits for it.
    this.place.say(true);
    await this.open(this.place.choices());
  }

  /** Stops, and closes the microphone. */
  stop(): void {
    if (this.isWanted) this.place.say(false);
    this.release();
    this.problem = null;
    this.set('idle');
  }

  /** Ends the talking for this reason, if we talk. */
  refuse(problem: Problem): void {
    if (!this.isWanted) return;
    this.place.say(false);
    this.release();
    this.problem = problem;
    this.set('failed');
  }

  /** Goes on with the microphone and the processing that are chosen now. */
  async reopen(): Promise<void> {
    if (this.isWanted) await this.open(this.place.choices());
  }

  /** We are in the room, again perhaps, with a new connection. */
  async resume(): Promise<void> {
    if (!this.isWanted) return;
    this.place.say(true);
    if (this.track) await this.carry(this.track);
    this.settle();
  }

  /** Looks whether we can be heard. */
  settle(): void {
    if (!this.isWanted || !this.track) return;
    if (this.place.isReady()) {
      clearTimeout(this.hold);
      this.hold = undefined;
      if (this.state === 'starting') performance.measure('room-talk-to-live', 'room-talk');
      if (this.state !== 'live') this.set('live');
      return;
    }
    this.hold ??= setTimeout(() => {
      this.refuse({ code: 'lost', detail: '' });
    }, HOLD_MICROPHONE_MS);
    if (this.state === 'live') this.set('reconnecting');
  }

  private async open(choices: Choices): Promise<void> {
    const round = ++this.round;
    try {
      const track = await openMicrophone(choices);
      if (round === this.round) await this.use(track);
      else track.stop();
    } catch (error) {
      if (round === this.round) this.doWithout(error instanceof MicrophoneError ? error.problem : { code: 'unknown', detail: String(error) });
    }
  }

  private async use(track: MediaStreamTrack): Promise<void> {
    const former = this.track;
    this.track = track;
    this.problem = null;
    track.onended = () => {
      this.replug();
    };
    this.place.changed();
    await this.carry(track);
    close(former);
    this.settle();
  }

  private async carry(track: MediaStreamTrack): Promise<void> {
    // A connection that cannot take it is about to be replaced, and the next one gets it.
    await this.place.carry(track).catch(() => undefined);
  }

  /** The microphone could not be opened. */
  private doWithout(problem: Problem): void {
    if (!this.isMicrophoneOpen) {
      this.refuse(this.problem ?? problem);
      return;
    }
    // The one in use goes on.
    this.problem = problem;
    this.place.changed();
  }

  /** The microphone is gone: another one is better than none. */
  private replug(): void {
    close(this.track);
    this.track = null;
    this.problem = { code: 'unplugged', detail: '' };
    this.set('reconnecting');
    void this.open({ ...this.place.choices(), microphone: '' });
  }

  private release(): void {
    this.round++;
    clearTimeout(this.hold);
    this.hold = undefined;
    void this.place.carry(null).catch(() => undefined);
    close(this.track);
    this.track = null;
  }

  private set(state: TalkState): void {
    this.state = state;
    this.place.changed();
  }
}

/** Lets go of a microphone. */
function close(track: MediaStreamTrack | null): void {
  if (!track) return;
  track.onended = null;
  track.stop();
}
