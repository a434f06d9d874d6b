// The camera and the screen: opening them, and telling apart why they cannot be opened.

import { microphoneObstacle, problemOf } from '../session/microphone';
import type { Problem } from '../session/problem';

/** What a phone's camera sends: more would only warm it. */
const CAMERA: MediaTrackConstraints = { width: { ideal: 1_280 }, height: { ideal: 720 }, frameRate: { ideal: 30, max: 30 } };

/** Text changes seldom, and has to be sharp when it does. */
const SCREEN: MediaTrackConstraints = { frameRate: { ideal: 15, max: 30 } };

/** Which way a camera looks. */
export type Facing = 'user' | 'environment';

/** A camera or screen cannot be had, and why. */
export class CameraError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.code);
  }
}

/** Whether this device can show its screen: phones cannot. */
export function canShareScreen(): boolean {
  return typeof (navigator.mediaDevices as MediaDevices | undefined)?.getDisplayMedia === 'function';
}

/** Opens the camera that looks this way, or any other. Fails with a {@link CameraError}. */
export async function openCamera(facing: Facing): Promise<MediaStreamTrack> {
  return await first(async (devices) => devices.getUserMedia({ video: { ...CAMERA, facingMode: facing } }));
}

/** Asks which screen, window or tab is to be shown. Fails with a {@link CameraError}. */
export async function openScreen(): Promise<MediaStreamTrack> {
  const track = await first(async (devices) => devices.getDisplayMedia({ video: SCREEN }));
  track.contentHint = 'detail';
  return track;
}

/** Whether there is more than one camera to turn to. */
export async function hasSeveralCameras(): Promise<boolean> {
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    return devices.filter(({ kind }) => kind === 'videoinput').length > 1;
  } catch {
    return false;
  }
}

async function first(open: (devices: MediaDevices) => Promise<MediaStream>): Promise<MediaStreamTrack> {
  // What keeps pages from the microphone keeps them from cameras, too: but for the rules of frames, which the browser tells.
  const obstacle = microphoneObstacle();
  if (obstacle === 'insecure' || obstacle === 'unsupported') throw new CameraError({ code: obstacle, detail: '' });
  try {
    const [track] = (await open(navigator.mediaDevices)).getVideoTracks();
    if (!track) throw new DOMException('The stream has no picture', 'NotFoundError');
    return track;
  } catch (error) {
    throw new CameraError(problemOf(error));
  }
}
