// The keys of a headset and of the lock screen, through the Media Session: they begin and end talking.

import { isTalking } from '../ui/talk-button';
import { t } from '../messages/page';
import type { SessionView, VoiceSession } from '../session/session';

/** Microphone keys, which not every browser's types know. */
type Action = MediaSessionAction | 'togglemicrophone';

/** Gives the session to the system's media keys, where the browser can. */
export function joinHeadset(session: VoiceSession): void {
  if (!('mediaSession' in navigator)) return;
  const media = navigator.mediaSession;
  const talk = () => void session.talk();
  const stop = () => {
    session.stopTalking();
  };
  const toggle = () => {
    if (isTalking(session.view.talk)) stop();
    else talk();
  };
  // One key plays and pauses; which of the two it means, the browser guesses from what it plays.
  handle(media, 'play', toggle);
  handle(media, 'pause', toggle);
  handle(media, 'stop', stop);
  handle(media, 'togglemicrophone', toggle);
  const show = () => {
    describe(media, session.view);
  };
  session.addEventListener('change', show);
  show();
}

function handle(media: MediaSession, action: Action, handler: () => void): void {
  try {
    media.setActionHandler(action as MediaSessionAction, handler);
  } catch {
    // A key that this browser does not know.
  }
}

/** What the lock screen shows: who is heard, and whether we are. */
function describe(media: MediaSession, view: SessionView): void {
  const talking = isTalking(view.talk);
  const names = view.streams.filter(({ state, name }) => state === 'playing' && name).map(({ name }) => name);
  const title = talking ? t('live') : names.join(', ') || t('listening');
  if (media.metadata?.title !== title) media.metadata = new MediaMetadata({ title, artist: t('title') });
  media.playbackState = talking || view.listening ? 'playing' : 'none';
  // Absent in browsers without microphone keys; some of the others give no promise, whatever the types say.
  const told = (media as { setMicrophoneActive?(active: boolean): unknown }).setMicrophoneActive?.(talking && !view.muted);
  if (told instanceof Promise) told.catch(() => undefined);
}
