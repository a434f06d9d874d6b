// A sheet over the page, for one thing at a time: from below on phones, in the middle elsewhere. What it holds comes between
// its tags.

import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';

import { sheetWords as t } from '../messages/sheet';

declare global {
  interface HTMLElementTagNameMap {
    'side-sheet': SideSheet;
  }
}

/** Fires `close` when the person has closed it. */
@customElement('side-sheet')
export class SideSheet extends LitElement {
  static override styles = css`
    dialog {
      box-sizing: border-box;
      width: min(100vw, 30rem);
      max-width: 100vw;
      max-height: 92dvh;
      margin: auto;
      padding: 1rem max(1rem, env(safe-area-inset-right)) max(1.25rem, env(safe-area-inset-bottom)) max(1rem, env(safe-area-inset-left));
      border: 1px solid var(--line);
      border-radius: 1.1rem;
      background: var(--ground);
      color: var(--ink);
      overflow-y: auto;
    }
    dialog::backdrop {
      background: rgb(0 0 0 / 45%);
    }
    .head {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 1rem;
      margin-bottom: 0.75rem;
    }
    h2 {
      margin: 0;
      font-size: 1.2rem;
    }
    button {
      flex: none;
      width: 2.75rem;
      height: 2.75rem;
      border: 0;
      border-radius: 50%;
      background: none;
      color: var(--accent);
      font: inherit;
      font-size: 1.6rem;
      line-height: 1;
      cursor: pointer;
    }
    button:focus-visible {
      outline: 3px solid var(--accent);
    }
    @media (max-width: 34rem) {
      dialog {
        width: 100vw;
        margin: auto 0 0;
        border-radius: 1.1rem 1.1rem 0 0;
      }
    }
  `;

  @property() label = '';
  @query('dialog') private dialog!: HTMLDialogElement;

  protected override firstUpdated(): void {
    this.dialog.showModal();
  }

  protected override render(): TemplateResult {
    return html`<dialog aria-labelledby="label" @close=${this.closed} @click=${this.clicked}>
      <div class="head">
        <h2 id="label">${this.label}</h2>
        <button id="close" type="button" aria-label=${t('close')} @click=${() => { this.dialog.close(); }}>×</button>
      </div>
      <slot></slot>
    </dialog>`;
  }

  private readonly closed = () => {
    this.dispatchEvent(new Event('close', { bubbles: true, composed: true }));
  };

  /** A tap beside the sheet closes it. */
  private readonly clicked = (event: MouseEvent) => {
    if (event.composedPath()[0] !== this.dialog) return;
    const { left, right, top, bottom } = this.dialog.getBoundingClientRect();
    const isInside = event.clientX >= left && event.clientX <= right && event.clientY >= top && event.clientY <= bottom;
    if (!isInside) this.dialog.close();
  };
}
