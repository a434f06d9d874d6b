// Media players that play what a card says: told to play once others can hear us, and to stop afterwards.

import type { Hass } from './hass';

/** A stop waits at most so long for the player's answer to the start, which may take long. */
const ORDER_MS = 2_000;

type CallService = NonNullable<Hass['callService']>;

/** The media players of one card. */
export class TargetPlayers {
  /** The stream that they should play. */
  private stream: string | null = null;
  /** Whether they were told to play. */
  private playing = false;
  /** Orders follow each other. */
  private last: Promise<void> = Promise.resolve();

  constructor(
    private readonly players: readonly string[],
    private readonly call: CallService,
    private readonly failed: (message: unknown) => void,
  ) {}

  /** We are live as this stream; `address` finds what to play. Said once for each stream. */
  play(stream: string, address: () => Promise<string>): void {
    if (!this.players.length || this.stream === stream) return;
    this.stream = stream;
    this.last = this.last.then(async () => {
      const url = await address();
      if (this.stream !== stream) return;
      this.playing = true;
      const start = this.tell('play_media', { media_content_id: url, media_content_type: 'music' });
      await Promise.race([start, passed(ORDER_MS)]);
    });
  }

  /** We are not live any more. */
  stop(): void {
    this.stream = null;
    this.last = this.last.then(() => {
      if (!this.playing) return;
      this.playing = false;
      void this.tell('media_stop', {});
    });
  }

  private async tell(service: string, data: Record<string, unknown>): Promise<void> {
    try {
      await this.call('media_player', service, { entity_id: this.players, ...data });
    } catch (error) {
      this.failed(error);
    }
  }
}

function passed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
