// Our voice in a room: the microphone, and the truth about it. The connection is there already, so a press of
// the button only opens the microphone and puts its track there.

import type { Choices } from '../session/choices';
import { MicrophoneError, openMicrophone } from '../session/microphone';
import type { Problem } from '../session/problem';
import { SilenceWatch } from '../session/silence';

/** Not every browser tells at once that there is a microphone again: how often to try. */
const REPLUG_MS = 1_000;

/**
 * How the talking goes. `live` only once others can hear it. `reconnecting` with the microphone off and
 * the problem `unplugged`: it goes on as soon as there is a microphone again.
 */
export type TalkState = 'idle' | 'starting' | 'live' | 'reconnecting' | 'failed';

/** Whether the microphone is wanted in this state. */
export function isTalking(state: TalkState): boolean {
  return state !== 'idle' && state !== 'failed';
}

/** While the connection is lost the microphone stays open for so long at most. */
const HOLD_MICROPHONE_MS = 30_000;

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

  private readonly silence: SilenceWatch;
  private isMuted = false;
  private replugging: ReturnType<typeof setTimeout> | undefined;
  private hold: ReturnType<typeof setTimeout> | undefined;
  /** Grows with every start and stop, so that a microphone that opens too late is closed. */
  private round = 0;

  constructor(private readonly place: VoicePlace) {
    this.silence = new SilenceWatch(() => {
      place.changed();
    });
  }

  /** Keeps the microphone open, and sends silence. Over with the talking. */
  get muted(): boolean {
    return this.isMuted;
  }

  set muted(muted: boolean) {
    this.isMuted = muted;
    if (this.track) this.track.enabled = !muted;
    this.place.changed();
  }

  /** Whether the microphone is open, and gives nothing. */
  get isSilent(): boolean {
    return this.silence.isSilent;
  }

  /** Whether the microphone captures, by its own account. */
  get isMicrophoneOpen(): boolean {
    return this.track?.readyState === 'live';
  }

  /** The person has asked for it, and nothing has ended it. */
  get isWanted(): boolean {
    return isTalking(this.state);
  }

  /** Opens the microphone and begins to send. */
  async start(): Promise<void> {
    if (this.isWanted) return;
    performance.mark('talk');
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

  /** Something was plugged in or out. */
  devicesChanged(): void {
    if (this.state === 'reconnecting' && !this.track) void this.openAnother();
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
      if (this.state === 'starting') performance.measure('talk-to-live', 'talk');
      if (this.state !== 'live') this.set('live');
      return;
    }
    this.waitNoLongerThan({ code: 'lost', detail: '' });
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
    track.enabled = !this.isMuted;
    clearTimeout(this.hold);
    this.hold = undefined;
    this.silence.follow(track);
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
    if (this.isMicrophoneOpen) {
      // The one in use goes on.
      this.problem = problem;
      this.place.changed();
    } else if (this.state === 'starting' || (problem.code !== 'missing' && problem.code !== 'busy')) {
      this.refuse(problem);
    } else {
      // Not every browser tells that there is one again.
      clearTimeout(this.replugging);
      this.replugging = setTimeout(() => void this.openAnother(), REPLUG_MS);
      this.place.changed();
    }
  }

  /** The microphone is gone: another one is better than none, and where there is none it is waited for. */
  private replug(): void {
    this.silence.follow(null);
    close(this.track);
    this.track = null;
    this.problem = { code: 'unplugged', detail: '' };
    // Others must not take silence for our voice meanwhile.
    void this.place.carry(null).catch(() => undefined);
    this.waitNoLongerThan(this.problem);
    this.set('reconnecting');
    void this.openAnother();
  }

  /** Opens any microphone: some browsers go on believing for a while that the one that is gone is there. */
  private async openAnother(): Promise<void> {
    await this.open({ ...this.place.choices(), microphone: '' });
  }

  /** Gives up, for this reason, when it does not get better for too long. */
  private waitNoLongerThan(problem: Problem): void {
    this.hold ??= setTimeout(() => {
      this.refuse(problem);
    }, HOLD_MICROPHONE_MS);
  }

  private release(): void {
    this.round++;
    clearTimeout(this.hold);
    clearTimeout(this.replugging);
    this.hold = undefined;
    this.isMuted = false;
    void this.place.carry(null).catch(() => undefined);
    this.silence.follow(null);
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
