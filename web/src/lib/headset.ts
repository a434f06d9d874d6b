// The keys of a headset and of the lock screen, through the Media Session: they begin and end talking.

import { isTalking } from '../rooms/room-voice';
import { houseWords as t } from '../messages/house';
import type { HouseSession } from '../house/house-session';
import type { HouseView } from '../house/house-view';
import { nameOf } from '../house/presence';

/** Microphone keys, which not every browser's types know. */
type Action = MediaSessionAction | 'togglemicrophone';

/** Somebody else has the keys. */
let isYielded = false;

/** Takes the keys for talking, once there is somebody who talks. */
let takeBack: () => void = () => undefined;

/** Gives the session to the system's media keys, where the browser can. */
export function joinHeadset(session: HouseSession): void {
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
  takeBack = () => {
    // One key plays and pauses; which of the two it means, the browser guesses from what it plays.
    handle(media, 'play', toggle);
    handle(media, 'pause', toggle);
    handle(media, 'stop', stop);
    handle(media, 'togglemicrophone', toggle);
    describe(media, session.view);
  };
  session.addEventListener('change', () => {
    if (!isYielded) describe(media, session.view);
  });
  takeBack();
}

/** Leaves the keys to somebody else, who plays something, until the function that it gives is called. */
export function yieldMediaKeys(): () => void {
  isYielded = true;
  return () => {
    isYielded = false;
    takeBack();
  };
}

function handle(media: MediaSession, action: Action, handler: () => void): void {
  try {
    media.setActionHandler(action as MediaSessionAction, handler);
  } catch {
    // A key that this browser does not know.
  }
}

/** What the lock screen shows: who is heard, and whether we are. */
function describe(media: MediaSession, view: HouseView): void {
  const talking = isTalking(view.talk);
  const names = view.heard.map(({ person }) => person.name);
  const title = talking && view.talkingIn ? t('live', { room: nameOf(view.talkingIn) }) : names.join(', ') || t('listening');
  if (media.metadata?.title !== title) media.metadata = new MediaMetadata({ title, artist: t('title') });
  media.playbackState = talking || view.listening ? 'playing' : 'none';
  // Absent in browsers without microphone keys; some of the others give no promise, whatever the types say.
  const told = (media as { setMicrophoneActive?(active: boolean): unknown }).setMicrophoneActive?.(talking && !view.muted);
  if (told instanceof Promise) told.catch(() => undefined);
}
