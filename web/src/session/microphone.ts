// The microphone: opening it, and saying in words why it cannot be opened.

/** The microphone cannot be had; the message says why and what to do. */
export class MicrophoneError extends Error {}

/** Why there can be no microphone on this page at all, or null. */
export function microphoneObstacle(): string | null {
  if (!window.isSecureContext) {
    return (
      'Browsers open the microphone only on secure pages. Open this page by its https address, ' +
      'or on the machine itself as http://localhost. Listening works here.'
    );
  }
  // Absent in some embedded browsers, whatever the types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  return devices ? null : 'This browser gives pages no microphone. Listening works here.';
}

/** Opens the microphone. Fails with a {@link MicrophoneError}. */
export async function openMicrophone(): Promise<MediaStreamTrack> {
  const obstacle = microphoneObstacle();
  if (obstacle) throw new MicrophoneError(obstacle);
  try {
    const audio = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };
    const [track] = (await navigator.mediaDevices.getUserMedia({ audio })).getAudioTracks();
    if (track) return track;
  } catch (error) {
    throw new MicrophoneError(inWords(error));
  }
  throw new MicrophoneError(inWords(null));
}

function inWords(error: unknown): string {
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'The microphone is blocked. Allow it in the address bar or in the settings of the browser, then try again.';
    case 'NotFoundError':
      return 'There is no microphone on this device. Connect one and try again.';
    case 'NotReadableError':
    case 'AbortError':
      return 'Another program uses the microphone. Close it and try again.';
    default:
      return 'The microphone could not be opened. Try again.';
  }
}
