// An address with a button that copies it, and says so. What it is for comes between its tags.

import { css, html, LitElement, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import { buttonStyles } from './button.styles';
import { copyText, selectText } from '../lib/clipboard';
import { speakerWords as t } from '../messages/speaker';

/** How long the button says what it did. */
const SAID_MS = 2_500;

@customElement('copy-text')
export class CopyText extends LitElement {
  static override styles = css`
    ${buttonStyles}
    :host {
      display: grid;
      grid-template-columns: 1fr auto;
      gap: 0.5rem 0.75rem;
      align-items: center;
    }
    code {
      grid-column: 1 / -1;
      font-size: 0.85rem;
      overflow-wrap: anywhere;
      user-select: all;
    }
    button {
      min-width: 6.5rem;
    }
    p {
      grid-column: 1 / -1;
      margin: 0;
      color: var(--quiet);
    }
    p:empty {
      display: none;
    }
  `;

  @property() value = '';
  /** What is copied, for those who hear only the button. */
  @property() label = '';

  @state() private said: 'nothing' | 'copied' | 'marked' = 'nothing';
  @query('code') private code!: HTMLElement;
  private timer: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
  }

  protected override render() {
    const copied = this.said === 'copied';
    return html`
      <slot></slot>
      <button aria-label="${t('copy')}: ${this.label}" @click=${() => void this.copy()}>${copied ? t('copied') : t('copy')}</button>
      <code>${breakable(this.value)}</code>
      <p role="status">${this.said === 'marked' ? t('marked') : ''}</p>
    `;
  }

  private async copy(): Promise<void> {
    const copied = await copyText(this.value);
    if (!copied) selectText(this.code);
    this.said = copied ? 'copied' : 'marked';
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.said = 'nothing';
    }, SAID_MS);
  }
}

/** An address that is too long for a line is broken where its parts begin. */
function breakable(address: string): TemplateResult[] {
  return address.split(/(?<=[/?&])/).map((part) => html`${part}<wbr />`);
}
