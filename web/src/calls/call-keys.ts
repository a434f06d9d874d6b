// A call on the lock screen, and by the keys of a headset: who calls, and keys that answer, decline and hang up.

import { yieldMediaKeys } from '../lib/headset';
import { callWords as t } from '../messages/calls';
import type { CurrentCall } from './calls-view';

/** What keys do to a call. */
export interface CallKeyActions {
  answer: () => void;
  /** Declines, or ends it. */
  hangUp: () => void;
}

/** Keys, also those of calls, which not every browser's types know. */
type Key = MediaSessionAction | 'hangup';

/** The keys, as long as a call rings here or is talked in. */
export class CallKeys {
  private giveBack: (() => void) | null = null;
  private known = '';

  /** This call is the one that matters now, or none. */
  follow(current: CurrentCall | null, { answer, hangUp }: CallKeyActions): void {
    const now = current ? `${current.role} ${current.call.id}` : '';
    if (now === this.known || !('mediaSession' in navigator)) return;
    this.known = now;
    const media = navigator.mediaSession;
    set(media, 'hangup', current ? hangUp : null);
    if (current?.role !== 'called') {
      // Whoever talks has the keys of the microphone again.
      this.giveBack?.();
      this.giveBack = null;
      return;
    }
    this.giveBack ??= yieldMediaKeys();
    // A headset has one key for both, and its browser guesses which of them it is.
    for (const key of ['play', 'pause'] as const) set(media, key, answer);
    set(media, 'stop', hangUp);
    media.metadata = new MediaMetadata({ title: t('called', { name: current.call.from.name }) });
    media.playbackState = 'playing';
  }
}

function set(media: MediaSession, key: Key, action: (() => void) | null): void {
  try {
    media.setActionHandler(key as MediaSessionAction, action);
  } catch {
    // A key that this browser does not know.
  }
}
