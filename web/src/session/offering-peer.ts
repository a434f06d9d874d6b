// The peer connection whose offers are ours, from the first to the end: how a way is found quickly, and found
// anew when the network changes. What it carries is its owner's business.

/** After a change of network, the connection must have found a new way by then. */
const RENEWAL_MS = 2_000;

/** A way that was nominated at once must carry the connection by then; else it is one without a way back. */
const HURRY_MS = 1_500;

/**
 * Whether ways are nominated at once. Not on a device that has an address to which the relay cannot answer,
 * such as that of a network of virtual machines: there, only a way that was tried is a good one.
 */
let hurries = true;

/** What the owner of the connection wants to hear. */
export interface OfferingEvents {
  /** To be sent to the relay: the first offer, or one that renews the connection. */
  offer(offer: RTCSessionDescriptionInit): void;
  /** It is of no more use. Said once, and not after {@link OfferingPeer.close}. */
  lost(): void;
}

/** Changes descriptions where a browser has no other way to be told. */
export interface Rewriting {
  offer(sdp: string): string;
  answer(sdp: string): string;
}

const AS_THEY_ARE: Rewriting = { offer: (sdp) => sdp, answer: (sdp) => sdp };

/** One peer connection that offers. */
export class OfferingPeer {
  readonly peer = new RTCPeerConnection({ iceServers: [], bundlePolicy: 'max-bundle' });

  protected ended = false;
  private verdict: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly events: OfferingEvents,
    private readonly rewriting: Rewriting = AS_THEY_ARE,
  ) {
    this.peer.onconnectionstatechange = () => {
      const state = this.peer.connectionState;
      if (state === 'failed' || state === 'closed') this.lose();
      else if (state === 'disconnected') void this.renew();
    };
  }

  /** Makes an offer. */
  async offer(): Promise<void> {
    try {
      const sdp = this.rewriting.offer((await this.peer.createOffer()).sdp ?? '');
      await this.peer.setLocalDescription({ type: 'offer', sdp });
      if (!this.ended) this.events.offer({ type: 'offer', sdp });
    } catch {
      this.lose();
    }
  }

  /** Takes the relay's answer. */
  async accept(answer: RTCSessionDescriptionInit): Promise<void> {
    if (this.ended || this.peer.signalingState !== 'have-local-offer') return;
    const sdp = this.rewriting.answer(answer.sdp ?? '');
    try {
      await this.peer.setRemoteDescription({ type: 'answer', sdp: hurries ? nominatedAtOnce(sdp) : sdp });
      if (hurries) this.expectWay();
    } catch {
      this.lose();
    }
  }

  /** Begins anew without hurry when hurrying has led nowhere. */
  private expectWay(): void {
    setTimeout(() => {
      if (this.ended || this.peer.connectionState === 'connected') return;
      hurries = false;
      this.lose();
    }, HURRY_MS);
  }

  /** Looks for a new way through the network (ICE restart). A way that works goes on being used meanwhile. */
  async renew(): Promise<void> {
    const before = await this.answers();
    // Before the first answer, and during a renewal, a way is being looked for anyway.
    if (this.ended || this.peer.signalingState !== 'stable' || !this.peer.remoteDescription) return;
    clearTimeout(this.verdict);
    this.verdict = setTimeout(() => void this.judge(before), RENEWAL_MS);
    this.peer.restartIce();
    await this.offer();
  }

  /** Ends it. */
  close(): void {
    this.ended = true;
    clearTimeout(this.verdict);
    this.peer.close();
  }

  /** Whether anything has answered since the renewal. */
  private async judge(before: Map<string, number>): Promise<void> {
    const now = await this.answers();
    const answered = [...now].some(([way, count]) => count > (before.get(way) ?? 0));
    if (!answered || this.peer.connectionState !== 'connected') this.lose();
  }

  /** How many checks the other side has answered, on each way through the network. */
  private async answers(): Promise<Map<string, number>> {
    const ways = new Map<string, number>();
    for (const stats of (await this.peer.getStats()).values() as Iterable<RTCIceCandidatePairStats>) {
      if (stats.type === 'candidate-pair') ways.set(stats.id, stats.responsesReceived ?? 0);
    }
    return ways;
  }

  private lose(): void {
    if (this.ended) return;
    this.close();
    this.events.lost();
  }
}

/**
 * The relay's answer, so that the path to it is nominated by the first check. Chromium nominates with its
 * second one, 50 ms later, when the other side is a lite agent, and DTLS waits for that. We offer, so we
 * control in both cases (RFC 8445, section 6.1.1), and that the relay never checks by itself does no harm.
 */
export function nominatedAtOnce(sdp: string): string {
  return sdp.replace(/^a=ice-lite\r?\n/m, '');
}
