// Announcing: in which rooms and on which media players, and what: a recording, a text, a chime, or a sound; and how it
// goes in each place.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { askRelay, type RelayInfo } from '../lib/relay-info';
import { announceWords as t, partInWords, recordingHint, recordingInWords } from '../messages/announce';
import { problemInWords } from '../messages/problems';
import { listFiles, titleOf, type SoundFile } from '../player/library';
import { microphoneObstacle } from '../session/microphone';
import { buttonStyles } from '../ui/button.styles';
import { fieldStyles } from '../ui/field.styles';
import { microphoneIcon } from '../ui/icons';
import '../ui/side-sheet';
import { Announcer } from './announcer';
import { placeOf, type AnnouncementPart } from './announcing';
import type { HouseSession } from './house-session';
import { listPlayers, NO_PLAYERS, type HousePlayers } from './house-players';
import type { PlaceView } from './house-view';
import { nameOf } from './presence';

declare global {
  interface HTMLElementTagNameMap {
    'announce-sheet': AnnounceSheet;
  }
}

/** The chime before what is spoken. */
const CHIME = 'ding-dong';

/** Characters of a text, as the relay takes them. */
const TEXT_LENGTH = 1_000;

/** The chimes that every relay has, by the names of their files. */
const CHIMES = ['ding', 'ding-dong', 'gong', 'alert'] as const;

@customElement('announce-sheet')
export class AnnounceSheet extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      .parts {
        display: grid;
        gap: 1.1rem;
      }
      fieldset {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem;
        min-width: 0;
        margin: 0;
        padding: 0;
        border: 0;
      }
      legend {
        margin-bottom: 0.4rem;
        padding: 0;
        font-weight: 650;
      }
      #discard,
      .chip {
        box-sizing: border-box;
        height: 3rem;
      }
      .chip {
        display: flex;
        gap: 0.5rem;
        align-items: center;
        min-height: 2.75rem;
        padding: 0 0.9rem;
        border: 2px solid var(--line);
        border-radius: 1.4rem;
        background: var(--surface);
        overflow-wrap: anywhere;
      }
      .chip:has(:checked) {
        border-color: var(--accent);
      }
      .chip:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      input[type='checkbox'] {
        width: 1.2rem;
        height: 1.2rem;
        margin: 0;
        accent-color: var(--accent);
      }
      #record {
        display: grid;
        grid-template-columns: auto 1fr;
        gap: 0 0.9rem;
        align-items: center;
        min-height: 4.5rem;
        border-radius: 2.25rem;
        background: var(--accent);
        color: var(--on-accent);
        text-align: start;
        touch-action: none;
        user-select: none;
        -webkit-user-select: none;
      }
      #record svg {
        grid-row: span 2;
        width: 2.2rem;
      }
      #record small {
        font-weight: 400;
      }
      @media (max-width: 17rem) {
        #record {
          grid-template-columns: 1fr;
          justify-items: center;
          padding-inline: 0.5rem;
          text-align: center;
        }
        #record svg {
          grid-row: auto;
        }
      }
      #record[aria-pressed='true'] {
        border-color: var(--live);
        background: var(--live);
        color: var(--on-live);
      }
      #record:disabled {
        border-color: var(--line);
        background: var(--surface);
        color: var(--quiet);
      }
      .sound {
        display: grid;
        grid-template-columns: minmax(0, 1fr) auto;
        gap: 0.75rem;
        align-items: end;
      }
      p,
      ul {
        margin: 0;
        padding: 0;
        list-style: none;
      }
      li {
        padding: 0.2rem 0;
      }
      .quiet {
        color: var(--quiet);
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;
  @property({ attribute: false }) places: readonly PlaceView[] = [];
  /** Single devices that are there. */
  @property({ attribute: false }) stations: readonly PlaceView[] = [];
  /** The room that is selected on the page. */
  @property() selected = '';

  /** Rooms in which it is to be heard; null: all that there are. */
  @state() private chosen: readonly string[] | null = null;
  /** Media players on which it is to be heard, by their entities: none, unless somebody wants them. */
  @state() private speakers: readonly string[] = [];
  @state() private players: HousePlayers = NO_PLAYERS;
  @state() private chimeFirst = true;
  /** For this one announcement: the next is as usual again. */
  @state() private isUrgent = false;
  /** Whether this person may be urgent. */
  @state() private mayBeUrgent = false;
  @state() private sounds: readonly SoundFile[] = [];
  private readonly obstacle = microphoneObstacle();
  private readonly announcer = new Announcer(this, {
    source: () => this.session,
    places: () => [...this.rooms.map(placeOf), ...this.speakers],
    chimeFirst: () => this.chimeFirst,
    isUrgent: () => this.isUrgent,
  });
  /** Ends what is asked of the relay when the sheet is closed. */
  private readonly ending = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ending.abort();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('session')) void this.learn();
  }

  protected override render(): TemplateResult {
    const { stage, said } = this.announcer;
    return html`<side-sheet label=${t('title')}>
      <div class="parts">
        ${stage === 'sent' || stage === 'sending' ? this.renderSent() : this.renderWish()}
        ${said ? html`<p id="said" role="alert">${said}</p>` : nothing}
      </div>
    </side-sheet>`;
  }

  private get rooms(): readonly string[] {
    const all = this.places.map(({ room }) => room.id);
    const known = this.all.map(({ room }) => room.id);
    return this.chosen?.filter((id) => known.includes(id)) ?? all;
  }

  /** Rooms, and single devices besides: these hear what is announced in rooms as well. */
  private get all(): readonly PlaceView[] {
    return [...this.places, ...this.stations];
  }

  private renderWish(): TemplateResult {
    return html`
      ${this.renderRooms()} ${this.players.players.length ? this.renderPlayers() : nothing} ${this.renderRecord()}
      ${this.players.speech ? this.renderText() : nothing}
      <fieldset>
        <legend>${t('chimes')}</legend>
        ${CHIMES.map((chime) => html`<button type="button" data-chime=${chime} @click=${() => void this.announcer.send({ file: chime }, t(chime))}>${t(chime)}</button>`)}
      </fieldset>
      ${this.sounds.length ? this.renderSounds() : nothing} ${this.mayBeUrgent ? this.renderUrgent() : nothing}
    `;
  }

  private renderRooms(): TemplateResult {
    const { rooms } = this;
    const turn = (id: string) => {
      this.chosen = rooms.includes(id) ? rooms.filter((one) => one !== id) : [...rooms, id];
    };
    const all = () => {
      this.chosen = this.chosen === null ? [this.selected] : null;
    };
    return html`<fieldset>
      <legend>${t('where')}</legend>
      <label class="chip"><input id="everywhere" type="checkbox" .checked=${this.places.every(({ room }) => rooms.includes(room.id))} @change=${all} /> ${t('everywhere')}</label>
      ${this.all.map(
        ({ room }) => html`<label class="chip">
          <input type="checkbox" data-room=${room.id} .checked=${rooms.includes(room.id)} @change=${() => { turn(room.id); }} /> ${nameOf(room)}
        </label>`,
      )}
    </fieldset>`;
  }

  private renderPlayers(): TemplateResult {
    const turn = (entity: string) => {
      this.speakers = this.speakers.includes(entity) ? this.speakers.filter((one) => one !== entity) : [...this.speakers, entity];
    };
    return html`<fieldset>
      <legend>${t('players')}</legend>
      ${this.players.players.map(
        ({ entity, name, area, isThere }) => html`<label class="chip">
          <input type="checkbox" data-player=${entity} ?disabled=${!isThere} .checked=${this.speakers.includes(entity)} @change=${() => { turn(entity); }} />
          <span>${name} <small class="quiet">${isThere ? (name.includes(area) ? '' : area) : t('away')}</small></span>
        </label>`,
      )}
    </fieldset>`;
  }

  private renderUrgent(): TemplateResult {
    return html`<label class="chip">
        <input id="urgent" type="checkbox" aria-describedby="urgent-hint" .checked=${this.isUrgent}
          @change=${(event: Event) => { this.isUrgent = (event.target as HTMLInputElement).checked; }} />
        ${t('urgent')}
      </label>
      <p class="quiet" id="urgent-hint">${t('urgentHint')}</p>`;
  }

  private renderText(): TemplateResult {
    const say = (event: SubmitEvent) => {
      event.preventDefault();
      const text = (new FormData(event.target as HTMLFormElement).get('text') as string).trim();
      if (text) void this.announcer.send({ text }, '', this.chimeFirst ? CHIME : '');
    };
    return html`<form class="sound" @submit=${say}>
      <label>${t('text')} <input id="text" name="text" required maxlength=${TEXT_LENGTH} autocomplete="off" enterkeyhint="send" /></label>
      <button id="say">${t('say')}</button>
    </form>`;
  }

  private renderRecord(): TemplateResult {
    const { stage, isRecording, press } = this.announcer;
    return html`
      <button id="record" type="button" aria-pressed=${isRecording} ?disabled=${this.obstacle !== null || stage === 'preparing'}
        @pointerdown=${press.pointerDown} @pointerup=${this.released} @pointercancel=${() => { press.cancel(); }} @click=${press.clicked}>
        ${microphoneIcon}<span>${recordingInWords(this.announcer)}</span><small>${recordingHint(this.announcer)}</small>
      </button>
      ${isRecording ? html`<button id="discard" type="button" @click=${() => { this.announcer.discard(); }}>${t('discard')}</button>` : this.renderChimeFirst()}
      ${this.obstacle ? html`<p class="quiet">${problemInWords({ code: this.obstacle, detail: '' })}</p>` : nothing}
    `;
  }

  /** As high as the button whose place it takes: a sheet that shrinks would bring something else below the finger. */
  private renderChimeFirst(): TemplateResult {
    return html`<label class="chip">
      <input id="chime-first" type="checkbox" .checked=${this.chimeFirst}
        @change=${(event: Event) => { this.chimeFirst = (event.target as HTMLInputElement).checked; }} />
      ${t('chimeFirst')}
    </label>`;
  }

  private renderSounds(): TemplateResult {
    const play = () => {
      const id = this.renderRoot.querySelector('select')?.value;
      const file = this.sounds.find((sound) => sound.id === id);
      if (file) void this.announcer.send({ file: file.id }, titleOf(file));
    };
    return html`<div class="sound">
      <label>${t('sound')}
        <select id="sound">${this.sounds.map((file) => html`<option value=${file.id}>${titleOf(file)}</option>`)}</select>
      </label>
      <button id="play-sound" type="button" @click=${play}>${t('play')}</button>
    </div>`;
  }

  private renderSent(): TemplateResult {
    const { stage, announcement, isGoing } = this.announcer;
    return html`
      ${stage === 'sending' ? html`<p role="status">${t('sending')}</p>` : nothing}
      <div role="status"><ul id="announced">
        ${announcement?.parts.map((part) => html`<li data-state=${part.state}>${this.inWords(part)}</li>`)}
      </ul></div>
      ${announcement?.id === null ? html`<p role="alert">${partInWords({ ...announcement, late: null }, t('title'))}</p>` : nothing}
      <div class="buttons">
        ${isGoing ? html`<button id="stop" type="button" @click=${() => { this.announcer.stop(); }}>${t('stop')}</button>` : nothing}
        ${stage === 'sent' && !isGoing
          ? html`<button id="again" type="button" @click=${() => { this.isUrgent = false; this.announcer.again(); }}>${t('again')}</button>`
          : nothing}
      </div>
    `;
  }

  private inWords(part: AnnouncementPart): string {
    const room = this.all.find((place) => placeOf(place.room.id) === part.place)?.room;
    const player = this.players.players.find(({ entity }) => entity === part.place);
    return partInWords(part, room ? nameOf(room) : (player?.name ?? part.place));
  }

  private readonly released = (event: PointerEvent) => {
    this.announcer.press.pointerUp(event);
    this.requestUpdate();
  };

  private async learn(): Promise<void> {
    if (!this.session) return;
    const { base } = this.session;
    // Whoever may not list them, or has none, records something for the rooms.
    void askRelay<RelayInfo>(base, 'api/info').then((info) => {
      this.mayBeUrgent = info?.body.may.includes('urgent') ?? false;
    });
    const [files, players] = await Promise.allSettled([listFiles(base, '', 0, this.ending.signal), listPlayers(base, this.ending.signal)]);
    if (files.status === 'fulfilled') this.sounds = files.value.files;
    if (players.status === 'fulfilled') this.players = players.value;
  }
}
