// The player of this page. There is one, so that it goes on while other views are shown.

import { yieldMediaKeys } from '../lib/headset';
import './mini-player';
import { joinMediaSession } from './player-keys';
import { QueuePlayer } from './queue-player';

let player: QueuePlayer | null = null;

/** The player, for the files of this relay. */
export function pagePlayer(base: URL): QueuePlayer {
  player ??= begin(base);
  return player;
}

function begin(base: URL): QueuePlayer {
  const begun = new QueuePlayer(base);
  window.addEventListener('pagehide', () => {
    begun.note();
  });
  shareMediaKeys(begun, base);
  const mini = document.createElement('mini-player');
  mini.player = begun;
  document.body.prepend(mini);
  return begun;
}

/** While there is something to play, the keys of headsets and lock screens are for it; otherwise they are for talking. */
function shareMediaKeys(begun: QueuePlayer, base: URL): void {
  let end: (() => void) | null = null;
  begun.addEventListener('change', () => {
    if (begun.file && !end) {
      const [giveBack, leave] = [yieldMediaKeys(), joinMediaSession(begun, base)];
      end = () => {
        leave();
        giveBack();
      };
    } else if (!begun.file && end) {
      end();
      end = null;
    }
  });
}
