// The files that the relay has: found, played, and put into the queue.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { announce, follow, isOpenToAll, placeOf, type Announcement } from '../house/announcing';
import { nameOf } from '../house/presence';
import { announcedInWords } from '../messages/announce';
import { soundsWords as t } from '../messages/sounds';
import type { Room } from '../rooms/room-protocol';
import { announceIcon } from '../ui/icons';
import { partStyles } from '../ui/part.styles';
import { fieldStyles } from '../ui/field.styles';
import type { HouseSession } from '../house/house-session';
import { addIcon } from './add-icon';
import { clock } from './clock';
import type { QueuePlayer } from './queue-player';
import { DRAWER } from './drawer';
import { pagePlayer } from './page-player';
import { listFiles, SEARCH_LENGTH, titleOf, type SoundFile } from './library';
import { obeyKeys } from './player-keys';
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
        grid-template-columns: minmax(0, 1fr) auto auto;
        gap: 0.5rem;
      }
      .places {
        display: flex;
        flex-wrap: wrap;
        grid-column: 1 / -1;
        gap: 0.5rem;
        align-items: center;
      }
      .told:empty {
        display: none;
      }
      .player {
        display: grid;
        gap: 0.75rem;
        align-content: start;
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
      :is(.add, .in) {
        align-self: center;
        width: 3.25rem;
        height: 3.25rem;
        padding: 0;
      }
      :is(.add, .in) svg {
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
      @media (max-width: 17rem) {
        li {
          grid-template-columns: auto auto 1fr;
        }
        .play {
          grid-column: 1 / -1;
        }
      }
      @media (min-width: 56rem) and (max-width: 75.99rem) {
        main {
          grid-template-columns: minmax(0, 1.4fr) minmax(20rem, 1fr);
          max-width: 72rem;
        }
        header {
          grid-column: 1 / -1;
        }
        .player {
          position: sticky;
          top: 1rem;
          align-self: start;
        }
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private files: readonly SoundFile[] | null = null;
  @state() private total = 0;
  @state() private isAway = false;
  @state() private isFull = false;
  @state() private player: QueuePlayer | null = null;
  /** The file for which a room is chosen. */
  @state() private placing = '';
  /** How that goes. */
  @state() private told = '';
  private readonly watching = new AbortController();
  private search = '';
  private asking = new AbortController();
  private pause: ReturnType<typeof setTimeout> | undefined;
  private readonly ends: (() => void)[] = [];

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.pause);
    this.asking.abort();
    this.watching.abort();
    for (const end of this.ends.splice(0)) end();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (!changes.has('session') || !this.session || this.player) return;
    const player = pagePlayer(this.session.base);
    this.player = player;
    const show = () => {
      this.dataset['state'] = player.state;
      this.dataset['way'] = player.way ?? '';
      this.requestUpdate();
    };
    player.addEventListener('change', show);
    DRAWER.addEventListener('change', show);
    this.ends.push(obeyKeys(player), () => {
      player.removeEventListener('change', show);
      DRAWER.removeEventListener('change', show);
    });
    show();
    void this.ask();
  }

  protected override render(): TemplateResult {
    const { player } = this;
    const parts = html`
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        <section class="list" aria-label=${t('title')}>
          <label>
            ${t('search')}
            <input id="search" type="search" maxlength=${SEARCH_LENGTH} autocomplete="off" enterkeyhint="search" @input=${this.typed} />
          </label>
          <p class="note" role="status">${this.noteInWords()}</p>
          ${this.renderFiles()}
        </section>
        <section class="player" aria-label=${t('player')}>
          <player-panel .player=${player} .base=${this.session?.base ?? null}></player-panel>
          <queue-panel .player=${player}></queue-panel>
        </section>
    `;
    // Beside the house it is not what the page is about.
    return DRAWER.matches ? html`<aside aria-label=${t('title')}>${parts}</aside>` : html`<main>${parts}</main>`;
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
      <button class="in" type="button" aria-label=${t('playThisIn', { title })} title=${t('playIn')} aria-expanded=${this.placing === file.id}
        @click=${() => { [this.placing, this.told] = [this.placing === file.id ? '' : file.id, '']; }}>${announceIcon}</button>
      ${this.placing === file.id ? this.renderPlaces(file) : nothing}
    </li>`;
  }

  /** The rooms in which a sound can be played. */
  private renderPlaces(file: SoundFile): TemplateResult {
    const { session } = this;
    const places = session?.view.places?.filter(({ room }) => isOpenToAll(room)) ?? [];
    const play = async (room: Room) => {
      if (!session) return;
      const announcement = await announce(session.base, [placeOf(room.id)], { file: file.id }, { chime: '', name: titleOf(file) });
      const tell = (now: Announcement) => {
        this.told = announcedInWords(now, () => nameOf(room));
      };
      tell(announcement);
      await follow(session.base, announcement, this.watching.signal, tell);
    };
    return html`<div class="places" role="group" aria-label=${t('chooseRoom')}>
      ${places.length
        ? places.map(({ room }) => html`<button type="button" data-room=${room.id} @click=${() => void play(room)}>▸ ${nameOf(room)}</button>`)
        : html`<p class="note">${t('noRoom')}</p>`}
      <p class="note told" role="status">${this.told}</p>
    </div>`;
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
