// Hearing one stream: a socket and a peer connection of its own, since one socket holds one.

import { playOn } from './devices';
import { STREAM_WORDS, type ClientMessage, type ServerMessage } from './protocol';
import { Signalling } from './signalling';

/** How the hearing goes. `playing` only once sound really arrives; `blocked`: the browser wants a tap. */
export type HearState = 'connecting' | 'playing' | 'blocked';

/** How often to look for the first packet. */
const FIRST_PACKET_MS = 15;

/** How often to look whether packets still come. */
const FLOW_MS = 1_000;

/** An attempt that does not play by then is given up; the session makes another. */
const ATTEMPT_MS = 8_000;

/** Silence as the relay counts it, in dBov. */
const SILENCE_DBOV = -127;

/** What the owner of a hearer wants to hear. */
export interface HearerEvents {
  changed(): void;
  /** It is of no more use. Said once, and not after {@link Hearer.close}. */
  over(): void;
  /** Neither sound nor levels come any more: perhaps the relay is out of reach. */
  doubt(): void;
}

/** One stream being heard. */
export class Hearer {
  state: HearState = 'connecting';
  /** Loudness in dBov, as the relay measures it. */
  level = SILENCE_DBOV;

  private readonly signalling: Signalling<ClientMessage, ServerMessage>;
  private readonly connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });
  private readonly audio = new Audio();
  private readonly patience: ReturnType<typeof setTimeout>;
  private readonly flow: ReturnType<typeof setInterval>;
  /** Packets that had come at the last look, and reports of levels since then. */
  private packets = 0;
  private reports = 0;
  /** Nothing had come at the last look. */
  private isDry = false;
  private ended = false;

  constructor(
    url: string,
    readonly streamId: string,
    private loudspeaker: string,
    private readonly events: HearerEvents,
  ) {
    this.signalling = new Signalling(
      url,
      STREAM_WORDS,
      {
        up: () => {
          this.signalling.send({ type: 'start_receiving', stream_id: streamId });
        },
        down: () => {
          this.finish();
        },
        message: (message) => void this.take(message),
      },
      false,
    );
    this.patience = setTimeout(() => {
      if (this.state === 'connecting') this.finish();
    }, ATTEMPT_MS);
    this.flow = setInterval(() => void this.checkFlow(), FLOW_MS);
    this.listenToConnection();
    this.signalling.connect();
  }

  /** The connection that brings this stream, for statistics. */
  get peer(): RTCPeerConnection {
    return this.connection;
  }

  /** From 0 to 1. */
  get volume(): number {
    return this.audio.volume;
  }

  set volume(volume: number) {
    this.audio.volume = volume;
    this.events.changed();
  }

  /** Keeps the element silent, whose sound somebody else plays from the same connection. */
  set playedElsewhere(elsewhere: boolean) {
    this.audio.muted = elsewhere;
  }

  /** Tries again to be heard, after a tap. */
  async unblock(): Promise<void> {
    if (this.state === 'blocked') await this.play();
  }

  /** Goes on with this loudspeaker. */
  async playOn(loudspeaker: string): Promise<void> {
    this.loudspeaker = loudspeaker;
    await playOn(loudspeaker, this.audio);
  }

  /** Makes sure that the relay is there, when there is reason to doubt. */
  probe(): void {
    this.signalling.probe();
  }

  /** Stops hearing. Does not say that it is over: whoever calls this knows. */
  close(): void {
    this.ended = true;
    clearTimeout(this.patience);
    clearInterval(this.flow);
    this.signalling.close();
    this.connection.close();
    this.audio.srcObject = null;
  }

  private listenToConnection(): void {
    this.connection.ontrack = (event) => {
      // As little waiting as the network allows; browsers without it ignore it.
      event.receiver.jitterBufferTarget = 0;
      this.audio.srcObject = event.streams[0] ?? new MediaStream([event.track]);
      void this.play();
    };
    this.connection.onconnectionstatechange = () => {
      const state = this.connection.connectionState;
      // A new connection is there sooner than this one might recover.
      if (state === 'disconnected' || state === 'failed' || state === 'closed') this.finish();
    };
  }

  private async take(message: ServerMessage): Promise<void> {
    if (message.type === 'webrtc_offer') await this.answer(message.offer);
    else if (message.type === 'stream_ended' && message.stream_id === this.streamId) this.finish();
    else if (message.type === 'error') this.finish();
    else if (message.type === 'audio_data' && message.stream_id === this.streamId) {
      this.level = message.level;
      this.reports++;
      this.events.changed();
    }
  }

  private async answer(offer: RTCSessionDescriptionInit): Promise<void> {
    try {
      await this.connection.setRemoteDescription(offer);
      const answer = await this.connection.createAnswer();
      await this.connection.setLocalDescription(answer);
      this.signalling.send({ type: 'webrtc_answer', answer: { type: 'answer', sdp: answer.sdp ?? '' } });
      await this.firstPacket();
    } catch {
      this.finish();
      return;
    }
    if (this.state === 'connecting') this.set('playing');
  }

  /** Waits until sound has arrived; being connected alone is not being heard. */
  private async firstPacket(): Promise<void> {
    while (!this.ended && (await this.packetsReceived()) === 0) {
      await new Promise((resolve) => setTimeout(resolve, FIRST_PACKET_MS));
    }
  }

  /** Looks whether there is news since the last look: packets, and what the relay tells of their levels. */
  private async checkFlow(): Promise<void> {
    const [packets, reports, dry] = [await this.packetsReceived(), this.reports, this.isDry];
    this.isDry = packets === this.packets;
    [this.packets, this.reports] = [packets, 0];
    if (this.ended || this.state === 'connecting' || !this.isDry) return;
    // The relay gets packets, so the way from there to us is dead.
    if (reports > 1) this.finish();
    else if (!dry) this.doubt();
  }

  /** The speaker pauses, or the relay is out of reach. */
  private doubt(): void {
    this.probe();
    this.events.doubt();
  }

  private async packetsReceived(): Promise<number> {
    for (const stats of (await this.connection.getStats()).values() as Iterable<RTCInboundRtpStreamStats>) {
      if (stats.type === 'inbound-rtp') return stats.packetsReceived ?? 0;
    }
    return 0;
  }

  private async play(): Promise<void> {
    try {
      await playOn(this.loudspeaker, this.audio);
      await this.audio.play();
      if (this.state === 'blocked') this.set('playing');
    } catch (error) {
      if (error instanceof DOMException && error.name === 'NotAllowedError') this.set('blocked');
    }
  }

  private finish(): void {
    if (this.ended) return;
    this.close();
    this.events.over();
  }

  private set(state: HearState): void {
    if (this.ended) return;
    this.state = state;
    this.events.changed();
  }
}
