// What may be chosen of a room, for whoever may: tones, whether one talks at a time, and whether devices answer by themselves.

import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';

import { optionWords as t } from '../messages/room-options';
import { fieldStyles } from '../ui/field.styles';
import { switchStyles } from '../ui/switches.styles';
import type { Room } from './room-protocol';

declare global {
  interface HTMLElementTagNameMap {
    'room-options': RoomOptions;
  }
}

const OPTIONS = ['talkTones', 'halfDuplex', 'dropIn'] as const;

const PATIENCE_MS = 5_000;

@customElement('room-options')
export class RoomOptions extends LitElement {
  static override styles = [fieldStyles, switchStyles];

  @property({ attribute: false }) room: Room | null = null;
  @property({ attribute: false }) base: URL | null = null;

  /** Why it is not as was chosen, in words. */
  @state() private trouble = '';

  protected override render(): TemplateResult {
    const { room } = this;
    return html`<h2>${t('title')}</h2>
      ${OPTIONS.map(
        (option) => html`<label>
            <span>${t(option)}</span>
            <input id=${option} type="checkbox" role="switch" aria-describedby=${`${option}-hint`} .checked=${live(room?.[option] ?? false)}
              @change=${(event: Event) => void this.choose(option, (event.target as HTMLInputElement).checked)} />
          </label>
          <p id=${`${option}-hint`}>${t(`${option}Hint`)}</p>`,
      )}
      <p role="alert" ?hidden=${!this.trouble}>${this.trouble}</p>`;
  }

  private async choose(option: (typeof OPTIONS)[number], on: boolean): Promise<void> {
    const { room, base } = this;
    if (!room || !base) return;
    try {
      const answer = await fetch(new URL(`api/rooms/${room.id}/options`, base), {
        method: 'PUT',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify({ [option]: on }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      this.trouble = answer.ok ? '' : await answer.text();
    } catch {
      this.trouble = t('unreachable');
    }
    // The room is told of what is so; what was refused is shown as it was.
    this.requestUpdate();
  }
}
