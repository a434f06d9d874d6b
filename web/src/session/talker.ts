// Sending our own voice: the microphone, one peer connection, and the truth about both.

import type { Choices } from './choices';
import { MicrophoneError, openMicrophone } from './microphone';
import type { Problem } from './problem';
import { streamOf, type ClientMessage, type ServerMessage } from './protocol';

/** How the talking goes. `live` only once others can hear it. */
export type TalkState = 'idle' | 'starting' | 'live' | 'reconnecting' | 'failed';

/** While the connection is lost the microphone stays open for so long at most. */
export const HOLD_MICROPHONE_MS = 30_000;

/** An attempt that is not live by then is begun anew. */
const ATTEMPT_MS = 8_000;

/** A peer connection may be without contact for so long before it is replaced. */
const DISCONNECTED_MS = 2_000;

/** The sending half of a session. Uses its owner's socket. */
export class Talker {
  state: TalkState = 'idle';
  /** Why it failed, when it has. */
  problem: Problem | null = null;
  /** Our stream, as others name it. */
  streamId: string | null = null;
  /** The open microphone, if it is. */
  track: MediaStreamTrack | null = null;

  private isMuted = false;
  private connection: RTCPeerConnection | null = null;
  private hold: ReturnType<typeof setTimeout> | undefined;
  private patience: ReturnType<typeof setTimeout> | undefined;
  /** Grows with every start and stop, so that what was begun before them ends quietly. */
  private round = 0;

  constructor(
    private readonly send: (message: ClientMessage) => void,
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
    return this.connection;
  }

  /** Whether the microphone captures, by its own account. */
  get isMicrophoneOpen(): boolean {
    return this.track?.readyState === 'live';
  }

  /** Opens the microphone and begins to send. */
  async start(isUp: boolean): Promise<void> {
    if (this.state !== 'idle' && this.state !== 'failed') return;
    const round = ++this.round;
    performance.mark('talk');
    this.set('starting');
    // The relay makes ready while the microphone opens.
    if (isUp) this.reserve();
    try {
      const track = await openMicrophone(this.choices());
      if (round !== this.round) {
        track.stop();
        return;
      }
      this.keep(track);
    } catch (error) {
      if (round === this.round) this.fail(error instanceof MicrophoneError ? error.problem : { code: 'unknown', detail: String(error) });
      return;
    }
    await this.offer();
  }

  /** Stops, and closes the microphone. */
  stop(): void {
    this.round++;
    if (this.state !== 'idle') this.send({ type: 'stop_stream' });
    this.release();
    this.set('idle');
  }

  /** The socket is there, or there again. */
  up(): void {
    if (this.state === 'starting' || this.state === 'reconnecting') this.reserve();
  }

  /** The socket is lost, and with it the relay's end of our connection. */
  down(): void {
    if (this.state !== 'starting' && this.state !== 'live') return;
    this.lose();
  }

  /** What the relay says on the socket. */
  async take(message: ServerMessage): Promise<void> {
    if (this.state === 'idle' || this.state === 'failed') return;
    if (message.type === 'sender_ready') {
      this.streamId = streamOf(message.connection_id);
      await this.offer();
    } else if (message.type === 'webrtc_answer') {
      await this.accept(message.answer);
    } else if (message.type === 'stream_available' && message.stream_id === this.streamId) {
      this.goLive();
    } else if (message.type === 'stream_ended' && message.stream_id === this.streamId) {
      this.again();
    } else if (message.type === 'error') {
      this.fail({ code: 'refused', detail: message.message });
    }
  }

  /** Asks for a stream; the rest follows from the answer. */
  private reserve(): void {
    this.streamId = null;
    this.disconnect();
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      this.again();
    }, ATTEMPT_MS);
    const { name } = this.choices();
    this.send(name ? { type: 'start_sending', name } : { type: 'start_sending' });
  }

  /** Offers as soon as both the microphone and a stream are there, whichever comes last. */
  private async offer(): Promise<void> {
    if (!this.track || !this.streamId || this.connection) return;
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
    this.connection = connection;
    this.watch(connection);
    connection.addTransceiver(this.track, { direction: 'sendonly' });
    try {
      const offer = await connection.createOffer();
      await connection.setLocalDescription(offer);
      if (connection === this.connection) this.send({ type: 'webrtc_offer', offer: { type: 'offer', sdp: offer.sdp ?? '' } });
    } catch {
      if (connection === this.connection) this.again();
    }
  }

  private async accept(answer: RTCSessionDescriptionInit): Promise<void> {
    const connection = this.connection;
    if (connection?.signalingState !== 'have-local-offer') return;
    try {
      await connection.setRemoteDescription(answer);
    } catch {
      if (connection === this.connection) this.again();
    }
  }

  private watch(connection: RTCPeerConnection): void {
    let lost: ReturnType<typeof setTimeout> | undefined;
    connection.onconnectionstatechange = () => {
      clearTimeout(lost);
      if (connection !== this.connection) return;
      if (connection.connectionState === 'failed' || connection.connectionState === 'closed') this.again();
      if (connection.connectionState === 'disconnected') {
        lost = setTimeout(() => {
          if (connection === this.connection) this.again();
        }, DISCONNECTED_MS);
      }
    };
  }

  private keep(track: MediaStreamTrack): void {
    this.track = track;
    track.onended = () => {
      this.send({ type: 'stop_stream' });
      this.fail({ code: 'unplugged', detail: '' });
    };
    this.changed();
  }

  private goLive(): void {
    clearTimeout(this.hold);
    clearTimeout(this.patience);
    this.hold = undefined;
    if (this.state === 'starting') performance.measure('talk-to-live', 'talk');
    this.set('live');
  }

  /** The media connection is lost, the socket perhaps not: begins anew. */
  private again(): void {
    this.lose();
    this.reserve();
  }

  private lose(): void {
    clearTimeout(this.patience);
    this.disconnect();
    this.hold ??= setTimeout(() => {
      this.fail({ code: 'lost', detail: '' });
    }, HOLD_MICROPHONE_MS);
    this.set('reconnecting');
  }

  private fail(problem: Problem): void {
    this.round++;
    this.release();
    this.problem = problem;
    this.set('failed');
  }

  private release(): void {
    clearTimeout(this.hold);
    clearTimeout(this.patience);
    this.hold = undefined;
    this.disconnect();
    if (this.track) this.track.onended = null;
    this.track?.stop();
    this.track = null;
    this.streamId = null;
    this.problem = null;
    this.isMuted = false;
  }

  private disconnect(): void {
    const connection = this.connection;
    this.connection = null;
    connection?.close();
  }

  private set(state: TalkState): void {
    this.state = state;
    this.changed();
  }
}
