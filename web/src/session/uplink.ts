// The connection that carries our voice. It is made without a microphone, so that both get ready at the same
// time; whatever track it is given later needs no new offer.

import { OfferingPeer } from './offering-peer';

/** One peer connection that sends. */
export class Uplink extends OfferingPeer {
  private readonly sender = this.peer.addTransceiver('audio', { direction: 'sendonly' }).sender;

  /** Sends the sound of this track from now on, or nothing. */
  async carry(track: MediaStreamTrack | null): Promise<void> {
    if (!this.ended) await this.sender.replaceTrack(track);
  }
}
