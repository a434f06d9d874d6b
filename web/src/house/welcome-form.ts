// The first visit: who or where somebody is, and one button that lets them hear. Browsers play nothing before a tap.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { houseWords as t } from '../messages/house';
import { NAME_LENGTH } from '../rooms/room-protocol';
import { buttonStyles } from '../ui/button.styles';
import { fieldStyles } from '../ui/field.styles';
import type { HouseSession } from './house-session';

declare global {
  interface HTMLElementTagNameMap {
    'welcome-form': WelcomeForm;
  }
}

@customElement('welcome-form')
export class WelcomeForm extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      form {
        display: grid;
        gap: 0.75rem;
      }
      h2,
      p {
        margin: 0;
      }
      h2 {
        font-size: 1.25rem;
      }
      p {
        color: var(--quiet);
        font-size: 0.9rem;
      }
      /* As high as its longest words. */
      #join-hint {
        min-height: 3em;
      }
      #join {
        min-height: 4.5rem;
        border-radius: 2.25rem;
        background: var(--accent);
        color: var(--on-accent);
        font-size: 1.35rem;
      }
      #join:disabled {
        background: var(--surface);
        color: var(--quiet);
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;
  @property({ type: Boolean }) away = false;
  /** How this person is called, unless they say otherwise. */
  @property() suggested = '';

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    return html`<form @submit=${this.join}>
      <h2>${t('welcome')}</h2>
      <label>
        ${t('welcomeName')}
        <input name="name" maxlength=${NAME_LENGTH} autocomplete="nickname" enterkeyhint="go" aria-describedby="name-hint"
          .value=${this.session.choices.name} placeholder=${this.suggested} />
      </label>
      <p id="name-hint">${t('welcomeHint')}</p>
      <button id="join" ?disabled=${this.away}>${t('join')}</button>
      <p id="join-hint">${this.away ? t('seeking') : t('joinHint')}</p>
    </form>`;
  }

  private readonly join = (event: SubmitEvent) => {
    event.preventDefault();
    const name = new FormData(event.target as HTMLFormElement).get('name');
    this.session?.join((typeof name === 'string' && name.trim()) || this.suggested);
  };
}
