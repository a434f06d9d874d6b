// The microphone: opening it, and telling apart why it cannot be opened.

import type { Choices } from './choices';
import type { Problem, ProblemCode } from './problem';

/** The microphone cannot be had, and why. */
export class MicrophoneError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail || problem.code);
  }
}

/** Why there can be no microphone on this page at all, or null. Known without asking anybody. */
export function microphoneObstacle(): ProblemCode | null {
  if (!window.isSecureContext) return 'insecure';
  // Absent in some embedded browsers, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (!devices) return 'unsupported';
  // Not in every browser; where it is absent, asking for the microphone tells.
  const policy = (document as { featurePolicy?: { allowsFeature(name: string): boolean } }).featurePolicy;
  if (policy && !policy.allowsFeature('microphone')) return window.top === window.self ? 'policy' : 'framed';
  return null;
}

/** Opens the microphone as chosen. Fails with a {@link MicrophoneError}. */
export async function openMicrophone(choices: Choices): Promise<MediaStreamTrack> {
  const obstacle = microphoneObstacle();
  if (obstacle) throw new MicrophoneError({ code: obstacle, detail: '' });
  const { echoCancellation, noiseSuppression, autoGainControl, microphone } = choices;
  const processing = { echoCancellation, noiseSuppression, autoGainControl };
  try {
    // Exact: Chromium takes its default where the chosen one is but ideal.
    if (microphone) return await capture({ ...processing, deviceId: { exact: microphone } });
  } catch (error) {
    // When the chosen one is not plugged in, another is better than none.
    const problem = problemOf(error);
    if (problem.code !== 'missing') throw new MicrophoneError(problem);
  }
  try {
    return await capture(processing);
  } catch (error) {
    throw new MicrophoneError(problemOf(error));
  }
}

async function capture(audio: MediaTrackConstraints): Promise<MediaStreamTrack> {
  const [track] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
  if (!track) throw new DOMException('The stream has no audio', 'NotFoundError');
  return track;
}

/** What a failed `getUserMedia` means (Media Capture and Streams, section 10.2). */
export function problemOf(error: unknown): Problem {
  const [name, detail] = error instanceof Error ? [error.name, error.message] : ['', String(error)];
  const codes: Record<string, ProblemCode> = {
    NotAllowedError: 'denied',
    SecurityError: 'policy',
    NotFoundError: 'missing',
    OverconstrainedError: 'missing',
    NotReadableError: 'busy',
    AbortError: 'busy',
  };
  return { code: codes[name] ?? 'unknown', detail };
}
