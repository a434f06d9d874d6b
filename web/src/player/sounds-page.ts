// The files that the relay has: found, played, and put into the queue.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { soundsWords as t } from '../messages/sounds';
import { partStyles } from '../ui/part.styles';
import { fieldStyles } from '../ui/field.styles';
import type { VoiceSession } from '../session/session';
import { addIcon } from './add-icon';
import { clock } from './clock';
import { QueuePlayer } from './queue-player';
import { listFiles, SEARCH_LENGTH, titleOf, type SoundFile } from './library';
import { joinMediaSession, obeyKeys } from './player-keys';
import './player-panel';
import './queue-panel';

declare global {
  interface HTMLElementTagNameMap {
    'sounds-page': SoundsPage;
  }
}

/** Whoever types is waited for. */
const TYPING_MS = 250;

/** Without an answer, the relay is asked again after this. */
const AGAIN_MS = 2_000;

@customElement('sounds-page')
export class SoundsPage extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      #files {
        display: grid;
        gap: 0.5rem;
        margin-top: 0.75rem;
      }
      li {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0.75rem;
      }
      .play {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0 1rem;
        border: 1px solid var(--line);
        color: var(--ink);
        text-align: start;
        overflow-wrap: anywhere;
      }
      .play[aria-current='true'] {
        border: 2px solid var(--accent);
      }
      .add {
        width: 3.25rem;
        padding: 0;
      }
      .add svg {
        width: 1.6rem;
      }
      .place,
      .length {
        color: var(--quiet);
        font-weight: 400;
      }
      .place {
        grid-column: 1 / -1;
        font-size: 0.85rem;
      }
    `,
  ];

  @property({ attribute: false }) session: VoiceSession | null = null;

  @state() private files: readonly SoundFile[] | null = null;
  @state() private total = 0;
  @state() private isAway = false;
  @state() private isFull = false;
  @state() private player: QueuePlayer | null = null;
  private search = '';
  private asking = new AbortController();
  private pause: ReturnType<typeof setTimeout> | undefined;
  private readonly ends: (() => void)[] = [];

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.pause);
    this.asking.abort();
    for (const end of this.ends.splice(0)) end();
    this.player?.close();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (!changes.has('session') || !this.session || this.player) return;
    const { base } = this.session;
    const player = new QueuePlayer(base);
    this.player = player;
    const show = () => {
      this.dataset['state'] = player.state;
      this.dataset['way'] = player.way ?? '';
      this.requestUpdate();
    };
    const leave = () => {
      player.note();
    };
    player.addEventListener('change', show);
    window.addEventListener('pagehide', leave);
    const unhide = () => {
      window.removeEventListener('pagehide', leave);
    };
    this.ends.push(obeyKeys(player), joinMediaSession(player, base), unhide);
    void this.ask();
  }

  protected override render(): TemplateResult {
    const { player } = this;
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        <section aria-label=${t('player')}><player-panel .player=${player} .base=${this.session?.base ?? null}></player-panel></section>
        <section><queue-panel .player=${player}></queue-panel></section>
        <section aria-label=${t('title')}>
          <label>
            ${t('search')}
            <input id="search" type="search" maxlength=${SEARCH_LENGTH} autocomplete="off" enterkeyhint="search" @input=${this.typed} />
          </label>
          <p class="note" role="status">${this.noteInWords()}</p>
          ${this.renderFiles()}
        </section>
      </main>
    `;
  }

  private noteInWords(): string {
    if (this.isFull) return t('full');
    if (this.isAway) return t('looking');
    if (this.files?.length === 0) return this.search ? t('noMatch') : t('none');
    return '';
  }

  private renderFiles(): TemplateResult | typeof nothing {
    const { files } = this;
    if (!files?.length) return nothing;
    return html`
      <button id="play-all" type="button" @click=${() => this.player?.playAll(files)}>${t('playAll')}</button>
      <ul id="files">
        ${repeat(files, ({ id }) => id, (file) => this.renderFile(file))}
      </ul>
      ${files.length < this.total
        ? html`<div class="buttons"><button id="more" type="button" @click=${() => void this.ask(files)}>${t('more')}</button></div>`
        : nothing}
    `;
  }

  private renderFile(file: SoundFile): TemplateResult {
    const title = titleOf(file);
    const enqueue = () => {
      this.isFull = this.player?.enqueue(file) === false;
    };
    return html`<li>
      <button class="play" type="button" aria-current=${this.player?.file?.id === file.id}
        @click=${() => this.player?.play(file)}>
        <span>${title}</span>
        <span class="length">${file.duration === null ? nothing : clock(file.duration)}</span>
        <span class="place">${file.name}</span>
      </button>
      <button class="add" type="button" aria-label=${t('addThis', { title })} title=${t('add')} @click=${enqueue}>${addIcon}</button>
    </li>`;
  }

  private readonly typed = (event: Event): void => {
    this.search = (event.target as HTMLInputElement).value;
    clearTimeout(this.pause);
    this.pause = setTimeout(() => void this.ask(), TYPING_MS);
  };

  /** Asks for files, from those that are known on. */
  private async ask(known: readonly SoundFile[] = []): Promise<void> {
    const { session } = this;
    if (!session) return;
    this.asking.abort();
    const asking = new AbortController();
    this.asking = asking;
    try {
      const { files, total } = await listFiles(session.base, this.search, known.length, asking.signal);
      [this.files, this.total, this.isAway] = [[...known, ...files], total, false];
    } catch {
      if (asking.signal.aborted) return;
      this.isAway = true;
      this.pause = setTimeout(() => void this.ask(known), AGAIN_MS);
    }
  }
}
