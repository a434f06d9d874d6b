// Says that the microphone gives no sound, with the others to choose from beside it.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { obstacleWords } from '../messages/obstacles';
import { t } from '../messages/settings';
import type { HouseSession } from '../house/house-session';
import { fieldStyles } from './field.styles';

declare global {
  interface HTMLElementTagNameMap {
    'silent-microphone': SilentMicrophone;
  }
}

@customElement('silent-microphone')
export class SilentMicrophone extends LitElement {
  static override styles = [
    fieldStyles,
    css`
      :host {
        display: contents;
      }
      section {
        display: grid;
        gap: 0.75rem;
        padding: 1rem;
        border: 1px solid var(--line);
        border-radius: 0.9rem;
        background: var(--surface);
      }
      p {
        margin: 0;
      }
    `,
  ];

  /** Whose microphones there are to choose from. */
  @property({ attribute: false }) session: HouseSession | null = null;
  /** Whether it is so now. */
  @property({ type: Boolean }) silent = false;

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session || !this.silent) return nothing;
    const choose = (event: Event) => {
      session.choose({ microphone: (event.target as HTMLSelectElement).value });
    };
    const chosen = session.choices.microphone;
    return html`
      <section id="silent" role="alert">
        <p>${obstacleWords('silent')}</p>
        <label class="field">
          ${t('microphone')}
          <select @change=${choose}>
            <option value="" ?selected=${chosen === ''}>${t('default')}</option>
            ${session.view.devices.microphones.map(
              ({ id, label }) => html`<option value=${id} ?selected=${id === chosen}>${label || t('microphone')}</option>`,
            )}
          </select>
        </label>
      </section>
    `;
  }
}
