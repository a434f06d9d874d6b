// Plays files one after another.

import { FilePlayer } from './file-player';
import type { SoundFile } from './library';
import { PlayQueue } from './play-queue';

export class QueuePlayer extends FilePlayer {
  readonly queue = new PlayQueue<SoundFile>();

  /** Plays these, one after another. */
  playAll(files: readonly SoundFile[]): void {
    this.queue.fill(files);
    this.advance(null);
  }

  /** Plays it when its turn comes. False: the queue is full. */
  enqueue(file: SoundFile): boolean {
    const hasRoom = this.queue.add(file);
    if (hasRoom && this.state === 'stopped') this.next();
    this.changed();
    return hasRoom;
  }

  next(): void {
    this.advance(this.file);
  }

  previous(): void {
    const file = this.queue.previous(this.file);
    if (file) this.play(file);
    else this.seek(0);
  }

  override toggle(): void {
    if (this.file) super.toggle();
    else this.next();
  }

  protected override finished(): void {
    if (this.queue.repeat === 'one') this.again();
    else this.next();
  }

  private advance(current: SoundFile | null): void {
    const file = this.queue.next(current);
    if (file) this.play(file);
    else this.stop();
  }
}
