// The door of a room: why somebody is not inside, and what to do about it.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { entryRefusal, entryWords as t } from '../messages/rooms';
import { partStyles } from '../ui/part.styles';
import { SessionWatch } from '../ui/watch-session';
import { fieldStyles } from '../ui/field.styles';
import type { RoomSession } from './room-session';

/** The room may want us now, or soon. */
const WORTH_ANOTHER_TRY = new Set(['full', 'locked', 'kicked', 'replaced']);

@customElement('room-door')
export class RoomDoor extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      form {
        display: grid;
        gap: 1rem;
        margin-top: 1rem;
      }
      #why {
        margin: 0;
        font-size: 1.1rem;
      }
      .buttons {
        align-items: center;
      }
    `,
  ];

  @property({ attribute: false }) session: RoomSession | null = null;
  /** How others see us, to begin with. */
  @property() name = '';

  private asked = '';

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override updated(changes: PropertyValues<this>): void {
    super.updated(changes);
    const code = this.session?.view.refusal?.code ?? '';
    if (code === this.asked) return;
    this.asked = code;
    this.renderRoot.querySelector('input')?.focus();
  }

  protected override render(): TemplateResult | typeof nothing {
    const view = this.session?.view;
    if (!view?.refusal) return nothing;
    const { code } = view.refusal;
    return html`
      <section data-refusal=${code}>
        <p id="why" role="alert">${entryRefusal(view.refusal)}</p>
        ${view.stage === 'asked' ? this.renderForm(code === 'name_taken') : nothing}
        <div class="buttons">
          ${WORTH_ANOTHER_TRY.has(code)
            ? html`<button id="again" type="button" @click=${() => this.session?.ask()}>${code === 'replaced' ? t('here') : t('again')}</button>`
            : nothing}
          <button id="others" type="button" @click=${() => this.dispatchEvent(new Event('leave'))}>${t('others')}</button>
        </div>
      </section>
    `;
  }

  private renderForm(asksName: boolean): TemplateResult {
    const field = asksName
      ? html`<label>${t('askName')} <input name="name" required maxlength="40" autocomplete="nickname" .value=${this.name} /></label>`
      : html`<label>${t('askPin')} <input name="pin" type="password" required maxlength="12" inputmode="numeric" autocomplete="off" /></label>`;
    return html`<form @submit=${this.enter}>${field}<div class="buttons"><button id="enter">${t('enter')}</button></div></form>`;
  }

  private readonly enter = (event: SubmitEvent): void => {
    event.preventDefault();
    const wish = Object.fromEntries(new FormData(event.target as HTMLFormElement)) as Record<'pin' | 'name', string>;
    this.session?.ask(wish);
    (event.target as HTMLFormElement).reset();
  };
}
