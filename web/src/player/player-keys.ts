// The player by the keys of the keyboard, and by those of headsets, watches and lock screens (Media Session).

import type { QueuePlayer } from './queue-player';
import { addressOf, titleOf } from './library';

/** Seconds, and shares of loudness, of one press. */
const STEP_SECONDS = 5;
const STEP_VOLUME = 0.05;

/** Elements that have a use for these keys themselves. */
const OWN_KEYS = 'input, select, textarea, button, a, summary';

/** What the key does, or null. */
function actionOf(player: QueuePlayer, key: string): (() => void) | null {
  const actions: Record<string, () => void> = {
    ' ': () => {
      player.toggle();
    },
    ArrowLeft: () => {
      player.seek(player.position - STEP_SECONDS);
    },
    ArrowRight: () => {
      player.seek(player.position + STEP_SECONDS);
    },
    ArrowUp: () => {
      player.volume = player.audio.volume + STEP_VOLUME;
    },
    ArrowDown: () => {
      player.volume = player.audio.volume - STEP_VOLUME;
    },
  };
  return actions[key] ?? null;
}

/** Obeys the keyboard until the function that it gives is called. */
export function obeyKeys(player: QueuePlayer): () => void {
  const press = (event: KeyboardEvent) => {
    // Beside the house the space bar is for talking.
    if (event.defaultPrevented) return;
    const [target] = event.composedPath();
    const isTaken = target instanceof Element && target.matches(OWN_KEYS);
    const action = player.file && !isTaken && !event.ctrlKey && !event.metaKey && !event.altKey ? actionOf(player, event.key) : null;
    if (!action) return;
    event.preventDefault();
    action();
  };
  window.addEventListener('keydown', press);
  return () => {
    window.removeEventListener('keydown', press);
  };
}

/** Shows the player to the system, and obeys it, until the function that it gives is called. */
export function joinMediaSession(player: QueuePlayer, base: URL): () => void {
  const session = (navigator as { mediaSession?: MediaSession }).mediaSession;
  if (!session) return () => undefined;
  const actions = actionsOf(player);
  const set = (isOn: boolean) => {
    for (const [action, handler] of Object.entries(actions)) obey(session, action as MediaSessionAction, isOn ? handler : null);
  };
  const show = () => {
    tell(session, player, base);
  };
  set(true);
  player.addEventListener('change', show);
  return () => {
    player.removeEventListener('change', show);
    set(false);
    session.metadata = null;
    session.playbackState = 'none';
  };
}

function actionsOf(player: QueuePlayer): Partial<Record<MediaSessionAction, MediaSessionActionHandler>> {
  return {
    play: () => {
      player.goOn();
    },
    pause: () => {
      player.pause();
    },
    stop: () => {
      player.stop();
    },
    nexttrack: () => {
      player.next();
    },
    previoustrack: () => {
      player.previous();
    },
    seekto: ({ seekTime }) => {
      player.seek(seekTime ?? 0);
    },
    seekbackward: ({ seekOffset }) => {
      player.seek(player.position - (seekOffset ?? STEP_SECONDS));
    },
    seekforward: ({ seekOffset }) => {
      player.seek(player.position + (seekOffset ?? STEP_SECONDS));
    },
  };
}

function obey(session: MediaSession, action: MediaSessionAction, handler: MediaSessionActionHandler | null | undefined): void {
  try {
    session.setActionHandler(action, handler ?? null);
  } catch {
    // A browser that does not know this one knows the others.
  }
}

function tell(session: MediaSession, player: QueuePlayer, base: URL): void {
  const { file, state, duration, position, audio } = player;
  const title = file ? titleOf(file) : null;
  if ((session.metadata?.title ?? null) !== title) {
    const artwork = file?.cover ? [{ src: `${addressOf(base, file).href}/cover` }] : [];
    session.metadata = title === null ? null : new MediaMetadata({ title, artwork });
  }
  session.playbackState = file ? (state === 'paused' || state === 'failed' ? 'paused' : 'playing') : 'none';
  if (duration > 0 && position <= duration) session.setPositionState({ duration, position, playbackRate: audio.playbackRate });
}
