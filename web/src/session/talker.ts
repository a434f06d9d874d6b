// Sending our own voice: the microphone, the connection that carries it, and the truth about both.

import type { Choices } from './choices';
import { MicrophoneError, openMicrophone } from './microphone';
import type { Problem } from './problem';
import { streamOf, type ClientMessage, type ServerMessage } from './protocol';
import type { Signalling } from './signalling';
import { Uplink } from './uplink';

/**
 * How the talking goes. `live` only once others can hear it. `reconnecting` with the microphone off and
 * the problem `unplugged`: it goes on as soon as there is a microphone again.
 */
export type TalkState = 'idle' | 'starting' | 'live' | 'reconnecting' | 'failed';

/** While the connection is lost the microphone stays open for so long at most. */
export const HOLD_MICROPHONE_MS = 30_000;

/** An attempt that is not live by then, though the microphone is open, is begun anew. */
const ATTEMPT_MS = 8_000;

/** Not every browser tells at once that there is a microphone again: how often to try. */
const REPLUG_MS = 1_000;

/** The sending half of a session. Uses its owner's socket. */
export class Talker {
  state: TalkState = 'idle';
  /** Why it failed or waits; while live, why the microphone chosen last is not the one in use. */
  problem: Problem | null = null;
  /** Our stream, as others name it. */
  streamId: string | null = null;
  /** The open microphone, if it is. */
  track: MediaStreamTrack | null = null;

  private isMuted = false;
  private uplink: Uplink | null = null;
  /** Others can hear the stream that the uplink carries. */
  private announced = false;
  /** All the streams that were ours, until each is known to have ended: the relay may be slow to notice. */
  private readonly ours = new Set<string>();
  /** Reservations that the relay has not answered yet: what it says meanwhile is about earlier ones. */
  private unanswered = 0;
  private hold: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Grows with every start, stop and choice, so that a microphone asked for before them is not used. */
  private round = 0;

  constructor(
    private readonly signalling: Pick<Signalling<ClientMessage, ServerMessage>, 'isUp' | 'send'>,
    private readonly choices: () => Choices,
    private readonly changed: () => void,
  ) {}

  /** Keeps the microphone open, and sends silence. */
  set muted(muted: boolean) {
    this.isMuted = muted;
    if (this.track) this.track.enabled = !muted;
    this.changed();
  }

  get muted(): boolean {
    return this.isMuted;
  }

  /** The connection that carries our voice, for statistics. */
  get peer(): RTCPeerConnection | null {
    return this.uplink?.peer ?? null;
  }

  /** Whether the microphone captures, by its own account. */
  get isMicrophoneOpen(): boolean {
    return this.track?.readyState === 'live';
  }

  /** Whether this stream is, or was, our own voice. */
  owns(streamId: string): boolean {
    return this.ours.has(streamId);
  }

  /** Opens the microphone and begins to send. */
  async start(): Promise<void> {
    if (this.isWanted) return;
    performance.mark('talk');
    this.problem = null;
    this.set('starting');
    // The connection is made while the microphone opens.
    if (this.signalling.isUp) this.reserve();
    await this.open();
  }

  /** Stops, and closes the microphone. */
  stop(): void {
    if (this.isWanted) this.signalling.send({ type: 'stop_stream' });
    this.release();
    this.problem = null;
    this.set('idle');
  }

  /** Goes on with the microphone and the sound processing that are chosen now. */
  async reopen(): Promise<void> {
    if (this.isWanted) await this.open();
  }

  /** The socket is there, or there again. */
  up(): void {
    this.unanswered = 0;
    if (this.state === 'starting' || (this.state === 'reconnecting' && this.track)) this.reserve();
  }

  /** The socket is lost, and with it the relay's end of our connection. */
  down(): void {
    if (this.isWanted) this.lose();
  }

  /** The network may have changed. */
  renew(): void {
    void this.uplink?.renew();
  }

  /** Something was plugged in or out. */
  devicesChanged(): void {
    if (this.state === 'reconnecting' && !this.track) void this.open();
  }

  /** What the relay says on the socket. */
  take(message: ServerMessage): void {
    if (message.type === 'sender_ready') this.unanswered--;
    if (message.type === 'stream_ended' && message.stream_id !== this.streamId) this.ours.delete(message.stream_id);
    if (!this.isWanted || this.unanswered > 0) return;
    if (message.type === 'sender_ready') {
      this.streamId = streamOf(message.connection_id);
      this.ours.add(this.streamId);
      void this.uplink?.offer();
    } else if (message.type === 'webrtc_answer') {
      void this.uplink?.accept(message.answer);
    } else if (message.type === 'stream_available' && message.stream_id === this.streamId) {
      this.goLive();
    } else if (message.type === 'stream_ended' && message.stream_id === this.streamId) {
      this.again();
    } else if (message.type === 'error') {
      this.takeError(message);
    }
  }

  private takeError({ code, message }: { code?: string; message: string }): void {
    // The socket closes next, and comes back with the relay.
    if (code === 'shutting_down') return;
    // What worked until now may work with a new connection.
    if (this.state === 'live') this.again();
    else this.fail({ code: 'refused', detail: message });
  }

  /** The person has asked for it, and nothing has ended it. */
  private get isWanted(): boolean {
    return this.state !== 'idle' && this.state !== 'failed';
  }

  /** Asks for a stream, and makes the connection for it. */
  private reserve(): void {
    this.disconnect();
    const uplink: Uplink = new Uplink({
      offer: (offer) => {
        this.signalling.send({ type: 'webrtc_offer', offer });
      },
      lost: () => {
        this.again();
      },
    });
    this.uplink = uplink;
    if (this.track) this.carry(uplink, this.track);
    this.expectSound();
    this.unanswered++;
    const { name } = this.choices();
    this.signalling.send(name ? { type: 'start_sending', name } : { type: 'start_sending' });
  }

  /** From the moment that both microphone and connection are asked to work, they have their time. */
  private expectSound(): void {
    clearTimeout(this.patience);
    if (!this.track || this.state === 'live') return;
    this.patience = setTimeout(() => {
      this.again();
    }, ATTEMPT_MS);
  }

  /** Opens the microphone as chosen, in place of the one in use. */
  private async open(choices = this.choices()): Promise<void> {
    const round = ++this.round;
    try {
      const track = await openMicrophone(choices);
      if (round === this.round) this.use(track);
      else track.stop();
    } catch (error) {
      if (round !== this.round) return;
      this.doWithout(error instanceof MicrophoneError ? error.problem : { code: 'unknown', detail: String(error) });
    }
  }

  private use(track: MediaStreamTrack): void {
    const former = this.track;
    this.track = track;
    this.problem = null;
    track.enabled = !this.isMuted;
    track.onended = () => {
      this.replug();
    };
    if (this.uplink) this.carry(this.uplink, track);
    else if (this.signalling.isUp) this.reserve();
    else this.lose();
    this.expectSound();
    close(former);
    if (this.announced) this.goLive();
    else this.changed();
  }

  private carry(uplink: Uplink, track: MediaStreamTrack): void {
    uplink.carry(track).catch(() => {
      if (uplink === this.uplink) this.again();
    });
  }

  /** The microphone could not be opened. */
  private doWithout(problem: Problem): void {
    if (this.isMicrophoneOpen) {
      // The one in use goes on.
      this.problem = problem;
      this.changed();
    } else if (this.state === 'starting' || (problem.code !== 'missing' && problem.code !== 'busy')) {
      this.fail(problem);
    } else {
      // Waits for one. Others must not take silence for our voice meanwhile.
      this.signalling.send({ type: 'stop_stream' });
      this.disconnect();
      this.patience = setTimeout(() => void this.open(), REPLUG_MS);
      this.changed();
    }
  }

  /** The microphone is gone: goes on with another one, or waits for one. */
  private replug(): void {
    close(this.track);
    this.track = null;
    this.problem = { code: 'unplugged', detail: '' };
    this.waitNoLongerThan(this.problem);
    this.set('reconnecting');
    // Some browsers go on believing for a while that the one that is gone is there.
    void this.open({ ...this.choices(), microphone: '' });
  }

  private goLive(): void {
    this.announced = true;
    if (!this.track) return;
    clearTimeout(this.hold);
    clearTimeout(this.patience);
    this.hold = undefined;
    if (this.state === 'starting') performance.measure('talk-to-live', 'talk');
    this.set('live');
  }

  /** The media connection is lost, the socket perhaps not: begins anew. */
  private again(): void {
    this.lose();
    if (this.signalling.isUp) this.reserve();
  }

  private lose(): void {
    this.disconnect();
    // The person is still being asked for the microphone.
    if (this.state === 'starting' && !this.track) return;
    this.waitNoLongerThan({ code: 'lost', detail: '' });
    this.set('reconnecting');
  }

  /** Gives up, for this reason, when it does not get better for too long. */
  private waitNoLongerThan(problem: Problem): void {
    this.hold ??= setTimeout(() => {
      this.fail(problem);
    }, HOLD_MICROPHONE_MS);
  }

  private fail(problem: Problem): void {
    this.signalling.send({ type: 'stop_stream' });
    this.release();
    this.problem = problem;
    this.set('failed');
  }

  private release(): void {
    this.round++;
    clearTimeout(this.hold);
    this.hold = undefined;
    this.disconnect();
    close(this.track);
    this.track = null;
    this.isMuted = false;
  }

  private disconnect(): void {
    clearTimeout(this.patience);
    this.streamId = null;
    this.announced = false;
    this.uplink?.close();
    this.uplink = null;
  }

  private set(state: TalkState): void {
    this.state = state;
    this.changed();
  }
}

/** Lets go of a microphone. */
function close(track: MediaStreamTrack | null): void {
  if (!track) return;
  track.onended = null;
  track.stop();
}
