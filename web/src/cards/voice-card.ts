// What all cards have in common: a configuration, a place on a shared line to the relay, and how both are shown.
// They draw everything themselves; Home Assistant's own elements are no interface for cards.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';

import { nameOf } from '../house/presence';
import { speak, spoken } from '../lib/i18n';
import { loudspeakerIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import { t, troubleInWords } from '../messages/card';
import { blockageInWords, obstacleWords } from '../messages/obstacles';
import { problemInWords, waysOut } from '../messages/problems';
import { entryRefusal } from '../messages/rooms';
import { microphoneObstacle } from '../session/microphone';
import type { Problem } from '../session/problem';
import '../ui/talk-button';
import { hearingInWords, presenceInWords, talkBriefly, talkInWords, whyNotTalk } from './card-words';
import type { CardConfig, Mode } from './config';
import type { Hass } from './hass';
import { lines } from './lines';
import { Place, type CardView } from './place';
import './relay-tile';
import { renderStreams } from './streams';
import { cardStyles } from './voice-card.styles';
import { routeTo } from './way';

/** A card without `hass` by then is not in Home Assistant. */
const HASS_MS = 300;

/** A card that is away for longer than this was not just moved. */
const MOVE_MS = 500;

/** Height in rows of 50 pixels, and columns of the grid of sections, for each mode. */
const SIZES: Record<Mode, { rows: number; columns: number }> = {
  tile: { rows: 2, columns: 6 },
  feature: { rows: 1, columns: 12 },
  room: { rows: 6, columns: 12 },
  talk: { rows: 5, columns: 6 },
  listen: { rows: 4, columns: 6 },
  compact: { rows: 1, columns: 12 },
};

/** A dashboard card. The kinds differ in what they read from their configuration. */
export abstract class VoiceCard extends LitElement {
  static override styles = cardStyles;

  /** In the picker or the editor of Home Assistant: nothing begins by itself. */
  @property({ type: Boolean }) preview = false;
  /** The same in older versions. */
  @property({ type: Boolean }) editMode = false;

  private written = '';
  private config: CardConfig | null = null;
  private house: Hass | undefined;
  private place: Place | null = null;
  private waiting: ReturnType<typeof setTimeout> | undefined;
  private leaving: ReturnType<typeof setTimeout> | undefined;

  /** Checks a configuration; throws an error for people. */
  protected abstract read(written: unknown): CardConfig;

  /** Options as written. Throws when they cannot be used. */
  setConfig(written: unknown): void {
    const config = this.read(written);
    const text = JSON.stringify(written);
    if (text === this.written) return;
    this.written = text;
    this.config = config;
    this.leave();
    this.join(this.house !== undefined);
    this.requestUpdate();
  }

  /** Home Assistant's state; set anew many times a minute. */
  set hass(hass: Hass) {
    this.house = hass;
    const language = hass.locale?.language ?? hass.language;
    if (language) speak(language);
    const theme = hass.themes ? (hass.themes.darkMode ? 'dark' : 'light') : undefined;
    if (theme) this.dataset['theme'] = theme;
    if (this.lang !== spoken()) this.lang = spoken();
    this.join(true);
  }

  /** Height in rows of 50 pixels. */
  getCardSize(): number {
    return SIZES[this.config?.mode ?? 'room'].rows;
  }

  /** Size in the grid of a section: twelve columns, rows of 56 pixels. */
  getGridOptions(): { columns: number; min_columns: number } {
    const mode = this.config?.mode ?? 'room';
    // As high as what they show: what is wrong is said in as many lines as it takes.
    return { columns: SIZES[mode].columns, min_columns: mode === 'compact' || mode === 'tile' ? 6 : 4 };
  }

  override connectedCallback(): void {
    super.connectedCallback();
    clearTimeout(this.leaving);
    this.join(this.house !== undefined);
    this.waiting = setTimeout(() => {
      this.join(true);
    }, HASS_MS);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.waiting);
    this.leaving = setTimeout(() => {
      this.leave();
    }, MOVE_MS);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.config) return nothing;
    const { mode, title } = this.config;
    const view = this.place?.view ?? null;
    this.reflect(view);
    const name = title ?? (mode === 'tile' && view?.place ? nameOf(view.place.room) : t('title'));
    if (mode === 'feature') return this.renderTile(name, true);
    return html`<section class=${mode === 'compact' ? 'card row' : mode === 'tile' ? 'card tile' : 'card'} aria-label=${name || t('title')}>
      ${mode === 'compact' ? this.renderRow(name, view) : mode === 'tile' ? this.renderTile(name, false) : this.renderParts(mode, name, view)}
      ${this.renderNotes(mode, view)}
    </section>`;
  }

  private renderTile(name: string, bare: boolean): TemplateResult {
    return html`<relay-tile lang=${spoken()} ?bare=${bare} .session=${this.place} .config=${this.config} .name=${name}></relay-tile>`;
  }

  /** Takes a place on the line, once it is clear which. */
  private join(isHassKnown: boolean): void {
    if (this.place || !this.config || !this.isConnected || !(isHassKnown || this.config.server)) return;
    const { server, slug } = this.config;
    const line = lines().to(routeTo(server, slug, this.house));
    this.place = new Place(line, this.config, {
      hass: () => this.house,
      isPreview: () => this.preview || this.editMode,
    });
    this.place.addEventListener('change', () => {
      this.requestUpdate();
    });
    this.requestUpdate();
  }

  private leave(): void {
    this.place?.leave();
    this.place = null;
  }

  /** The state as attributes, for styles, themes and tests. */
  private reflect(view: CardView | null): void {
    this.dataset['connection'] = view?.connected ? 'up' : 'down';
    this.dataset['talk'] = view?.talk ?? 'idle';
    this.dataset['mic'] = view?.microphone ?? 'off';
    this.dataset['listen'] = view?.listening ? 'on' : 'off';
  }

  private renderParts(mode: Mode, name: string, view: CardView | null): TemplateResult {
    return html`
      ${name ? html`<h2>${name}<span class="connection" aria-hidden="true"></span></h2>` : nothing}
      <p class="note" id="presence">${view?.connected && view.place ? presenceInWords(view.place) : nothing}</p>
      ${mode === 'listen' ? nothing : this.renderTalk(view)} ${mode === 'talk' ? nothing : this.renderListen(mode, view)}
      ${mode === 'talk' || !view?.connected
        ? nothing
        : renderStreams(view, (name, volume) => this.place?.setVolume(name, volume))}
    `;
  }

  private renderTalk(view: CardView | null): TemplateResult {
    return html`<div class="talking">
      ${this.renderTalkButton(false)}
      <p id="state" role="status">${talkInWords(view)}</p>
      <level-meter .track=${this.place?.microphoneTrack ?? null} aria-label=${t('ownLevel')}></level-meter>
    </div>`;
  }

  private renderTalkButton(isCompact: boolean): TemplateResult {
    return html`<talk-button lang=${spoken()} ?compact=${isCompact} .session=${this.place} .disabledReason=${whyNotTalk(this.place?.view ?? null)}></talk-button>`;
  }

  private renderListen(mode: Mode, view: CardView | null): TemplateResult {
    return html`<div class="listening">
      <button id="listen" aria-pressed=${view?.listening ?? false} ?disabled=${!view?.connected} @click=${this.toggleListening}>
        ${view?.listening ? loudspeakerIcon : silentIcon}
        <span class="label">${t('listen')}</span>
      </button>
      <p class="note" id="hearing" role="status">
        ${mode === 'room' && !view?.connected ? nothing : hearingInWords(view)}
      </p>
    </div>`;
  }

  private renderRow(name: string, view: CardView | null): TemplateResult {
    const state = view && view.talk === 'idle' ? hearingInWords(view) : talkBriefly(view);
    return html`
      <div class="words">
        <strong>${name}</strong>
        <span class="note" id="state" role="status">${view?.connected ? state : t('looking')}</span>
      </div>
      <button
        id="listen"
        title=${t('listen')}
        aria-label=${t('listen')}
        aria-pressed=${view?.listening ?? false}
        ?disabled=${!view?.connected}
        @click=${this.toggleListening}
      >
        ${view?.listening ? loudspeakerIcon : silentIcon}
      </button>
      ${this.renderTalkButton(true)}
    `;
  }

  /** What is in the way, and what to do about it. */
  private renderNotes(mode: Mode, view: CardView | null): TemplateResult {
    const trouble = this.place?.line.trouble;
    const refusal = this.place?.refusal;
    const obstacle = mode === 'listen' ? null : microphoneObstacle();
    const problem = mode !== 'listen' && view?.talk === 'failed' ? view.problem : null;
    return html`
      ${trouble ? html`<p class="warning" id="trouble" role="alert">${troubleInWords(trouble)}</p>` : nothing}
      ${refusal ? html`<p class="warning" id="refusal" role="alert">${entryRefusal(refusal)}</p>` : nothing}
      ${obstacle ? html`<p class="note" id="obstacle">${problemInWords({ code: obstacle, detail: '' })}</p>` : nothing}
      ${view?.blockage ? html`<p class="warning" id="blockage" role="alert">${blockageInWords(view.blockage)}</p>` : nothing}
      ${view?.silent && mode !== 'listen' ? html`<p class="warning" id="silent" role="alert">${obstacleWords('silent')}</p>` : nothing}
      ${problem ? html`<p class="warning" id="problem" role="alert">${problemInWords(problem)} ${adviceOn(problem)}</p>` : nothing}
      ${this.place?.playerProblem
        ? html`<p class="warning" role="alert">${t('playerFailed', { detail: this.place.playerProblem })}</p>`
        : nothing}
      ${view?.blocked
        ? html`<p class="note">${t('blocked')} <button id="unblock" @click=${() => this.place?.unblock()}>${t('unblock')}</button></p>`
        : nothing}
    `;
  }

  private readonly toggleListening = (): void => {
    this.place?.listen(!this.place.view.listening);
  };
}

/** What to do about a problem, as far as that is not at an address of the relay's own page. */
function adviceOn({ code }: Problem): string {
  const ways = waysOut(code, { page: new URL(location.href), tlsPort: null, userAgent: navigator.userAgent });
  return ways.flatMap(({ words, address }) => (address === undefined ? [words] : [])).join(' ');
}
