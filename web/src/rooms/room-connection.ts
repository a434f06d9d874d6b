// The one connection of a participant: our voice, our music, and the slots in which others come. It is offered
// once; whoever begins or stops to talk needs no other offer.

import { OfferingPeer, type OfferingEvents } from '../session/offering-peer';
import { hearsStereo, takesStereo } from './stereo';

/** Voices and music that are heard at once. */
export const SLOTS = 4;

/** What the owner of the connection wants to hear. */
export interface RoomConnectionEvents extends OfferingEvents {
  /** Sound may come in this slot from now on. */
  slot(mid: string, receiver: RTCRtpReceiver): void;
  /** It carries, or no longer does. */
  changed(): void;
}

/** The sending m-lines, in the order of the offer. */
const SENDS = ['voice', 'music'] as const;

/** What we send: our voice, or music. */
export type Sound = (typeof SENDS)[number];

/** The connection of one participant. */
export class RoomConnection extends OfferingPeer {
  private readonly senders: Record<Sound, RTCRtpSender>;

  constructor(events: RoomConnectionEvents) {
    super(events, { offer: hearsStereo, answer: takesStereo });
    const [voice, music] = SENDS.map(() => this.peer.addTransceiver('audio', { direction: 'sendonly' }).sender);
    this.senders = { voice, music } as Record<Sound, RTCRtpSender>;
    for (let count = 0; count < SLOTS; count++) this.peer.addTransceiver('audio', { direction: 'recvonly' });
    this.peer.ontrack = ({ transceiver, receiver }) => {
      if (transceiver.mid !== null) events.slot(transceiver.mid, receiver);
    };
    this.peer.addEventListener('connectionstatechange', () => {
      events.changed();
    });
  }

  /** Whether sound gets through. */
  get carries(): boolean {
    return this.peer.connectionState === 'connected';
  }

  /** Sends this track from now on, or nothing. */
  async carry(sound: Sound, track: MediaStreamTrack | null): Promise<void> {
    if (!this.ended) await this.senders[sound].replaceTrack(track);
  }

  /** Sends no more than so many bits a second, which all who hear can bear. */
  async limit(sound: Sound, bits: number): Promise<void> {
    const parameters = this.senders[sound].getParameters();
    const [encoding] = parameters.encodings;
    // Before the first answer there is none; the rate is set once there is.
    if (this.ended || !encoding || encoding.maxBitrate === bits) return;
    encoding.maxBitrate = bits;
    await this.senders[sound].setParameters(parameters).catch(() => undefined);
  }
}
