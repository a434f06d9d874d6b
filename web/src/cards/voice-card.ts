// What all cards have in common: a configuration, a place on a shared line to the relay, and how both are shown.
// They draw everything themselves; Home Assistant's own elements are no interface for cards.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { property } from 'lit/decorators.js';

import { speak, spoken } from '../lib/i18n';
import { loudspeakerIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import { t, troubleInWords } from '../messages/card';
import { problemInWords, waysOut } from '../messages/problems';
import { entryRefusal } from '../messages/rooms';
import { microphoneObstacle } from '../session/microphone';
import type { Problem } from '../session/problem';
import type { SessionView } from '../session/session';
import '../ui/talk-button';
import type { CardConfig, Mode } from './config';
import type { Hass } from './hass';
import { lines } from './lines';
import { Place } from './place';
import { nameOf, renderStreams } from './streams';
import { cardStyles } from './voice-card.styles';
import { routeTo } from './way';

/** A card without `hass` by then is not in Home Assistant. */
const HASS_MS = 300;

/** A card that is away for longer than this was not just moved. */
const MOVE_MS = 500;

/** Height in rows of 50 pixels, and columns of the grid of sections, for each mode. */
const SIZES: Record<Mode, { rows: number; columns: number }> = {
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
    return { columns: SIZES[mode].columns, min_columns: mode === 'compact' ? 6 : 4 };
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
    const name = title ?? t('title');
    return html`<section class=${mode === 'compact' ? 'card row' : 'card'} aria-label=${name || t('title')}>
      ${mode === 'compact' ? this.renderRow(name, view) : this.renderParts(mode, name, view)}
      ${this.renderNotes(mode, view)}
    </section>`;
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
  private reflect(view: SessionView | null): void {
    this.dataset['connection'] = view?.connected ? 'up' : 'down';
    this.dataset['talk'] = view?.talk ?? 'idle';
    this.dataset['mic'] = view?.microphone ?? 'off';
    this.dataset['listen'] = view?.listening ? 'on' : 'off';
  }

  private renderParts(mode: Mode, name: string, view: SessionView | null): TemplateResult {
    return html`
      ${name ? html`<h2>${name}<span class="connection" aria-hidden="true"></span></h2>` : nothing}
      ${mode === 'listen' ? nothing : this.renderTalk(view)} ${mode === 'talk' ? nothing : this.renderListen(mode, view)}
      ${mode === 'talk' || !view?.connected
        ? nothing
        : renderStreams(view.streams, (id, volume) => this.place?.session?.setVolume(id, volume))}
    `;
  }

  private renderTalk(view: SessionView | null): TemplateResult {
    return html`<div class="talking">
      ${this.renderTalkButton(false)}
      <p id="state" role="status">${describeTalk(view)}</p>
      <level-meter .track=${this.place?.session?.microphoneTrack ?? null} aria-label=${t('ownLevel')}></level-meter>
    </div>`;
  }

  private renderTalkButton(isCompact: boolean): TemplateResult {
    const obstacle = microphoneObstacle();
    const reason = obstacle ? problemInWords({ code: obstacle, detail: '' }) : null;
    return html`<talk-button lang=${spoken()} ?compact=${isCompact} .session=${this.place} .disabledReason=${reason}></talk-button>`;
  }

  private renderListen(mode: Mode, view: SessionView | null): TemplateResult {
    return html`<div class="listening">
      <button id="listen" aria-pressed=${view?.listening ?? false} ?disabled=${!this.place?.session} @click=${this.toggleListening}>
        ${view?.listening ? loudspeakerIcon : silentIcon}
        <span class="label">${t('listen')}</span>
      </button>
      <p class="note" id="hearing" role="status">
        ${mode === 'room' && !view?.connected ? nothing : describeListening(view)}
      </p>
    </div>`;
  }

  private renderRow(name: string, view: SessionView | null): TemplateResult {
    const state = view && view.talk === 'idle' ? describeListening(view) : describeTalkBriefly(view);
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
        ?disabled=${!this.place?.session}
        @click=${this.toggleListening}
      >
        ${view?.listening ? loudspeakerIcon : silentIcon}
      </button>
      ${this.renderTalkButton(true)}
    `;
  }

  /** What is in the way, and what to do about it. */
  private renderNotes(mode: Mode, view: SessionView | null): TemplateResult {
    const trouble = this.place?.line.trouble;
    const refusal = this.place?.refusal;
    const obstacle = mode === 'listen' ? null : microphoneObstacle();
    const isBlocked = view?.streams.some(({ state }) => state === 'blocked');
    const problem = mode !== 'listen' && view?.talk === 'failed' ? view.problem : null;
    return html`
      ${trouble ? html`<p class="warning" id="trouble" role="alert">${troubleInWords(trouble)}</p>` : nothing}
      ${refusal ? html`<p class="warning" id="refusal" role="alert">${entryRefusal(refusal)}</p>` : nothing}
      ${obstacle ? html`<p class="note" id="obstacle">${problemInWords({ code: obstacle, detail: '' })}</p>` : nothing}
      ${problem ? html`<p class="warning" id="problem" role="alert">${problemInWords(problem)} ${adviceOn(problem)}</p>` : nothing}
      ${this.place?.playerProblem
        ? html`<p class="warning" role="alert">${t('playerFailed', { detail: this.place.playerProblem })}</p>`
        : nothing}
      ${isBlocked
        ? html`<p class="note">${t('blocked')} <button id="unblock" @click=${() => this.place?.unblock()}>${t('unblock')}</button></p>`
        : nothing}
    `;
  }

  private readonly toggleListening = (): void => {
    const session = this.place?.session;
    if (session?.view.listening) session.stopListening();
    else session?.listen();
  };
}

/** What to do about a problem, as far as that is not at an address of the relay's own page. */
function adviceOn({ code }: Problem): string {
  const ways = waysOut(code, { page: new URL(location.href), tlsPort: null, userAgent: navigator.userAgent });
  return ways.flatMap(({ words, address }) => (address === undefined ? [words] : [])).join(' ');
}

function describeTalk(view: SessionView | null): string {
  if (!view) return t('looking');
  if (view.talk === 'idle') return view.connected ? t('idle') : t('looking');
  if (view.talk === 'failed') return t('idle');
  if (view.talk === 'starting') return view.microphone === 'live' ? t('starting') : t('opening');
  return t(view.talk);
}

/** The same for one short line; there the colour of the button tells that the microphone is on. */
function describeTalkBriefly(view: SessionView | null): string {
  const state = view?.talk;
  return state === 'starting' || state === 'live' || state === 'reconnecting' ? t(`${state}Briefly`) : describeTalk(view);
}

function describeListening(view: SessionView | null): string {
  if (!view?.connected) return t('looking');
  if (!view.listening) return t('notHeard');
  const names = view.streams.flatMap((stream, index) => (stream.state === 'playing' ? [nameOf(stream, index)] : []));
  if (names.length > 1) return t('heardMany', { count: names.length });
  return names[0] ? t('heardOne', { name: names[0] }) : t('heardNobody');
}
