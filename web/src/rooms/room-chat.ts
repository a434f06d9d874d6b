// The chat of a room: what was written, also before one came, and a line to write in.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import { buttonStyles } from '../ui/button.styles';
import { spoken } from '../lib/i18n';
import { roomWords as t } from '../messages/room';
import { SessionWatch } from '../ui/watch-session';
import { fieldStyles } from '../ui/field.styles';
import type { ChatLine } from './room-protocol';
import type { RoomSession } from './room-session';

/** Longer ones are refused by the relay. */
const LENGTH = 500;

/** So few characters left are told. */
const NEAR_LENGTH = 100;

/** How close to the end of the list counts as being there. */
const NEAR_PX = 40;

@customElement('room-chat')
export class RoomChat extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      :host {
        display: block;
      }
      h2 {
        margin: 0 0 0.5rem;
        font-size: 1rem;
      }
      h2:focus {
        outline: none;
      }
      #log {
        max-height: 16rem;
        margin: 0 0 0.75rem;
        padding: 0;
        overflow-y: auto;
      }
      #log:focus-visible {
        outline: 3px solid var(--accent);
      }
      .line {
        margin: 0;
        padding: 0.3rem 0;
        overflow-wrap: anywhere;
      }
      .text {
        white-space: pre-line;
      }
      .who {
        font-weight: 600;
      }
      .quiet {
        margin: 0 0 0.75rem;
        color: var(--quiet);
        font-size: 0.9rem;
      }
      form {
        display: grid;
        grid-template-columns: 1fr auto;
        gap: 0.5rem 0.75rem;
        align-items: end;
      }
      #left {
        grid-column: 1 / -1;
        margin: 0;
      }
      #left:empty {
        display: none;
      }
    `,
  ];

  @property({ attribute: false }) session: RoomSession | null = null;

  @state() private text = '';
  @query('#log') private list!: HTMLElement | null;
  private isAtEnd = true;
  private readonly sight = new IntersectionObserver((entries) => {
    this.isSeen = entries.some(({ isIntersecting }) => isIntersecting);
    this.noteRead();
  });
  private isSeen = false;

  constructor() {
    super();
    new SessionWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.watchSight();
    document.addEventListener('visibilitychange', this.noteRead);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.sight.disconnect();
    document.removeEventListener('visibilitychange', this.noteRead);
  }

  /** Goes to the line to write in. */
  override focus(): void {
    this.scrollIntoView({ block: 'nearest' });
    this.renderRoot.querySelector('input')?.focus();
  }

  protected override firstUpdated(): void {
    this.watchSight();
  }

  protected override willUpdate(): void {
    const { list } = this;
    this.isAtEnd = !list || list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_PX;
  }

  protected override updated(changes: PropertyValues<this>): void {
    super.updated(changes);
    // Whoever reads older lines is left there.
    if (this.isAtEnd) this.list?.scrollTo({ top: this.list.scrollHeight });
    this.noteRead();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    const { chat, stage } = this.session.view;
    const left = LENGTH - this.text.length;
    return html`
      <h2 id="chat-title">${t('chat')}</h2>
      <div id="log" role="log" aria-label=${t('messages')} tabindex="0">
        ${chat.length ? chat.map(renderLine) : html`<p class="quiet">${t('noChat')}</p>`}
      </div>
      <form @submit=${this.send}>
        <label><span class="unseen">${t('writeTo')}</span>
          <input maxlength=${LENGTH} autocomplete="off" enterkeyhint="send" placeholder=${t('writeTo')}
            aria-describedby="left" .value=${this.text} @input=${this.typed} /></label>
        <button ?disabled=${!this.text.trim() || stage !== 'inside'}>${t('send')}</button>
        <p class="quiet" id="left">${left <= NEAR_LENGTH ? t('left', { count: left }) : nothing}</p>
      </form>
    `;
  }

  /** Whoever sees where to write sees what was written last. */
  private watchSight(): void {
    const form = this.renderRoot.querySelector('form');
    if (form) this.sight.observe(form);
  }

  private readonly typed = (event: Event): void => {
    this.text = (event.target as HTMLInputElement).value;
  };

  private readonly send = (event: SubmitEvent): void => {
    event.preventDefault();
    const text = this.text.trim();
    if (!text) return;
    this.session?.chat(text);
    this.text = '';
    this.isAtEnd = true;
  };

  private readonly noteRead = (): void => {
    if (this.isSeen && !document.hidden) this.session?.readChat();
  };
}

function renderLine({ name, text, at, host }: ChatLine): TemplateResult {
  const when = new Date(at * 1_000);
  const time = when.toLocaleTimeString(spoken(), { hour: '2-digit', minute: '2-digit' });
  const mark = host ? html` <span class="quiet">(${t('host')})</span>` : nothing;
  return html`<p class="line"><span class="who">${name}</span>${mark}
    <time class="quiet" datetime=${when.toISOString()}>${time}</time><br /><span class="text">${text}</span></p>`;
}
