// What was said last, to be heard again: the relay's clips.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { spoken } from '../lib/i18n';
import { houseWords as t } from '../messages/house';
import { playIcon, stopIcon } from '../ui/icons';
import { buttonStyles } from '../ui/button.styles';

declare global {
  interface HTMLElementTagNameMap {
    'last-words': LastWords;
  }
}

/** Clips that are shown. */
const SHOWN = 3;

/** One clip, as the relay lists it. */
interface Clip {
  id: string;
  /** Below the relay's page. */
  url: string;
  /** Unix seconds. */
  began: number;
  seconds: number;
}

@customElement('last-words')
export class LastWords extends LitElement {
  static override styles = css`
    ${buttonStyles}
    :host {
      display: contents;
    }
    section {
      padding: 1rem;
      border: 1px solid var(--line);
      border-radius: 0.9rem;
      background: var(--surface);
    }
    h2 {
      margin: 0 0 0.5rem;
      font-size: 1rem;
    }
    ul {
      display: flex;
      flex-wrap: wrap;
      gap: 0.5rem;
      margin: 0;
      padding: 0;
      list-style: none;
    }
    button {
      display: flex;
      gap: 0.4rem;
      align-items: center;
      font-weight: 400;
      font-variant-numeric: tabular-nums;
    }
    svg {
      width: 1.1rem;
    }
    button[aria-pressed='true'] {
      background: var(--accent);
      color: var(--on-accent);
    }
  `;

  @property({ attribute: false }) base: URL | null = null;
  /** Changes when something may have been said. */
  @property({ type: Number }) round = 0;

  @state() private clips: readonly Clip[] = [];
  @state() private playing = '';
  private readonly audio = new Audio();

  override connectedCallback(): void {
    super.connectedCallback();
    this.audio.onended = this.audio.onpause = this.audio.onerror = () => {
      this.playing = '';
    };
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.audio.pause();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('base') || changes.has('round')) void this.learn();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.clips.length) return nothing;
    return html`<section id="last-words">
      <h2>${t('lastWords')}</h2>
      <ul>
        ${repeat(this.clips, ({ id }) => id, (clip) => this.renderClip(clip))}
      </ul>
    </section>`;
  }

  private renderClip({ id, url, began, seconds }: Clip): TemplateResult {
    const time = new Date(began * 1_000).toLocaleTimeString(spoken(), { timeStyle: 'short' });
    const isPlaying = this.playing === id;
    return html`<li>
      <button type="button" data-clip=${id} aria-pressed=${isPlaying} title=${isPlaying ? t('stopClip') : t('playClip', { time })}
        @click=${() => { this.toggle(id, url); }}>
        ${isPlaying ? stopIcon : playIcon} ${t('clip', { time, seconds: Math.max(1, Math.round(seconds)) })}
      </button>
    </li>`;
  }

  private toggle(id: string, url: string): void {
    if (this.playing === id) {
      this.audio.pause();
      return;
    }
    this.audio.src = new URL(url.replace(/^\//, ''), this.base ?? document.baseURI).href;
    this.audio.play().then(
      () => {
        this.playing = id;
      },
      () => undefined,
    );
  }

  private async learn(): Promise<void> {
    if (!this.base) return;
    try {
      const answer = await fetch(new URL('api/clips', this.base), { cache: 'no-store' });
      // Whoever came by a link for one room may not hear them.
      if (!answer.ok) return;
      const { clips } = (await answer.json()) as { clips: Clip[] };
      this.clips = clips.slice(0, SHOWN);
    } catch {
      // What is known is still there.
    }
  }
}
