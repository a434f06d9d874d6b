// Draws an element again whenever its player has changed.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

import type { QueuePlayer } from './queue-player';

type Host = ReactiveControllerHost & { player: QueuePlayer | null };

export class PlayerWatch implements ReactiveController {
  private watched: QueuePlayer | null = null;
  private readonly draw = (): void => {
    this.host.requestUpdate();
  };

  constructor(private readonly host: Host) {
    host.addController(this);
  }

  hostUpdate(): void {
    if (this.watched === this.host.player) return;
    this.watched?.removeEventListener('change', this.draw);
    this.watched = this.host.player;
    this.watched?.addEventListener('change', this.draw);
  }

  hostDisconnected(): void {
    this.watched?.removeEventListener('change', this.draw);
    this.watched = null;
  }
}
