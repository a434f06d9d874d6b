// The connection for video: our camera in several sizes, our screen, and the slots in which others are seen. It is apart
// from that of the voices, so that nothing that is looked at can hold up what is said.

import type { VideoKind } from '../rooms/room-protocol';
import { OfferingPeer, type OfferingEvents } from '../session/offering-peer';

/** People and screens that are seen at once. */
export const VIDEO_SLOTS = 8;

/** Sizes of a camera's picture, the smallest first: each a layer of its own, of which everybody is sent the one that fits. */
export const CAMERA_LAYERS: readonly RTCRtpEncodingParameters[] = [
  { rid: 'q', scaleResolutionDownBy: 4, maxBitrate: 150_000 },
  { rid: 'h', scaleResolutionDownBy: 2, maxBitrate: 500_000 },
  { rid: 'f', scaleResolutionDownBy: 1, maxBitrate: 1_500_000 },
];

/** A screen has one size, since text has to stay sharp. */
const SCREEN_BITS = 2_500_000;

/** What the owner of the connection wants to hear. */
export interface VideoConnectionEvents extends OfferingEvents {
  /** A picture may come in this slot. */
  slot(mid: string, track: MediaStreamTrack): void;
}

/** The connection for video of one participant. */
export class VideoConnection extends OfferingPeer {
  private readonly senders: Record<VideoKind, RTCRtpSender>;

  constructor(events: VideoConnectionEvents) {
    super(events);
    const camera = this.peer.addTransceiver('video', { direction: 'sendonly', sendEncodings: CAMERA_LAYERS.map((layer) => ({ ...layer })) });
    preferVp8(camera);
    const screen = this.peer.addTransceiver('video', { direction: 'sendonly', sendEncodings: [{ maxBitrate: SCREEN_BITS }] });
    preferVp8(screen);
    this.senders = { camera: camera.sender, screen: screen.sender };
    for (let count = 0; count < VIDEO_SLOTS; count++) this.peer.addTransceiver('video', { direction: 'recvonly' });
    this.peer.ontrack = ({ transceiver, track }) => {
      if (transceiver.mid !== null) events.slot(transceiver.mid, track);
    };
  }

  /** Sends this picture from now on, or none. */
  async show(kind: VideoKind, track: MediaStreamTrack | null): Promise<void> {
    if (!this.ended) await this.senders[kind].replaceTrack(track);
  }

  /** Sends no layer that has more lines than anybody looks at: 0, and nothing is sent at all. */
  async limit(kind: VideoKind, height: number): Promise<void> {
    const sender = this.senders[kind];
    const parameters = sender.getParameters();
    // Before the first answer there are none.
    if (this.ended || !parameters.encodings.length) return;
    const full = sender.track?.getSettings().height ?? Infinity;
    const wanted = layersFor(height, full, parameters.encodings.map(({ scaleResolutionDownBy }) => scaleResolutionDownBy ?? 1));
    if (parameters.encodings.every(({ active }, index) => active === wanted[index])) return;
    parameters.encodings.forEach((encoding, index) => {
      encoding.active = wanted[index] ?? false;
    });
    await sender.setParameters(parameters).catch(() => undefined);
  }
}

/**
 * Which layers are of use to a tile of this height: all up to the first that fills it. `full` is the height of the whole
 * picture, `scales` what each layer divides it by, the smallest layer first.
 */
export function layersFor(height: number, full: number, scales: readonly number[]): boolean[] {
  if (height === 0) return scales.map(() => false);
  const enough = scales.findIndex((scale) => full / scale >= height);
  return scales.map((_, index) => enough < 0 || index <= enough);
}

/** Every browser decodes it, and in layers it costs the least to encode. */
function preferVp8(transceiver: RTCRtpTransceiver): void {
  const codecs = RTCRtpSender.getCapabilities('video')?.codecs ?? [];
  const isFirst = ({ mimeType }: RTCRtpCodec) => mimeType.toLowerCase() === 'video/vp8';
  const ordered = [...codecs.filter(isFirst), ...codecs.filter((codec) => !isFirst(codec))];
  // Not in every browser; the order is a wish.
  if (ordered.length && 'setCodecPreferences' in transceiver) transceiver.setCodecPreferences(ordered);
}
