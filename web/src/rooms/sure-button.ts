// A button for what cannot be undone: it asks first, in its own place.

import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { buttonStyles } from '../ui/button.styles';
import { roomWords as t } from '../messages/room';

@customElement('sure-button')
export class SureButton extends LitElement {
  static override styles = [
    buttonStyles,
    css`
      :host {
        display: inline-block;
      }
      button {
        min-height: 3rem;
      }
      .danger {
        border-color: var(--live);
        color: var(--live);
      }
      p {
        margin: 0 0 0.5rem;
      }
      div {
        display: flex;
        gap: 0.75rem;
      }
    `,
  ];

  /** What the button says, and what it asks. */
  @property() label = '';
  @property() question = '';

  @state() private asks = false;

  protected override render(): TemplateResult {
    if (!this.asks) return html`<button type="button" class="danger" @click=${this.ask}>${this.label}</button>`;
    return html`
      <p id="question" role="alert">${this.question}</p>
      <div>
        <button id="yes" type="button" class="danger" aria-describedby="question" @click=${this.agree}>${t('yes')}</button>
        <button id="no" type="button" @click=${this.forget}>${t('no')}</button>
      </div>
    `;
  }

  private readonly ask = async (): Promise<void> => {
    this.asks = true;
    await this.updateComplete;
    // Where a second press of the same key does no harm.
    this.renderRoot.querySelector<HTMLElement>('#no')?.focus();
  };

  private readonly agree = (): void => {
    this.asks = false;
    this.dispatchEvent(new Event('sure'));
  };

  private readonly forget = async (): Promise<void> => {
    this.asks = false;
    await this.updateComplete;
    this.renderRoot.querySelector('button')?.focus();
  };
}
