// The player: what is played, where, and the buttons.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { buttonStyles } from '../ui/button.styles';
import { soundsWords as t } from '../messages/sounds';
import { fieldStyles } from '../ui/field.styles';
import { clock } from './clock';
import type { QueuePlayer } from './queue-player';
import { addressOf, titleOf } from './library';
import { COLUMNS } from './peaks';
import { PlayerWatch } from './watch-player';
import './wave-form';
import { nextIcon, pauseIcon, playIcon, previousIcon, stopIcon } from '../ui/icons';

const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 2];

const NO_COLUMNS = new Float32Array(COLUMNS);

@customElement('player-panel')
export class PlayerPanel extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      :host {
        display: grid;
        gap: 0.75rem;
      }
      h2,
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      h2 {
        font-size: 1.1rem;
      }
      p,
      .time {
        color: var(--quiet);
        font-variant-numeric: tabular-nums;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
        align-items: center;
        justify-content: center;
      }
      .buttons button:has(svg) {
        width: 3rem;
        height: 3rem;
        padding: 0.6rem;
        border-radius: 50%;
      }
      #toggle:not(:disabled) {
        background: var(--accent);
        color: var(--on-accent);
      }
      .place {
        position: relative;
      }
      /* One bar: what is drawn below the slider, which is seen where it is now. */
      .place input {
        position: absolute;
        inset: 0;
        height: 100%;
        background: none;
        cursor: pointer;
        opacity: 0;
      }
      .place:has(:focus-visible) {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .taste {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0.75rem;
      }
      [type='checkbox'] {
        width: 1.4rem;
        height: 1.4rem;
        min-height: 0;
        margin: 0;
        accent-color: var(--accent);
      }
      .check {
        gap: 0.75rem;
        grid-column: 1 / -1;
        grid-template-columns: auto 1fr;
        align-items: center;
        min-height: 2.75rem;
      }
      #failed {
        display: grid;
        gap: 0.75rem;
        padding: 0.75rem;
        border: 1px solid var(--live);
        border-radius: 0.6rem;
      }
      #failed p {
        color: var(--ink);
      }
      a {
        padding: 0.6rem 0;
        color: var(--accent);
      }
      a:focus-visible {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
    `,
  ];

  @property({ attribute: false }) player: QueuePlayer | null = null;
  @property({ attribute: false }) base: URL | null = null;

  constructor() {
    super();
    new PlayerWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { player } = this;
    if (!player) return nothing;
    const { file, state } = player;
    const isOn = state === 'playing' || state === 'buffering' || state === 'reconnecting';
    return html`
      <h2 id="title">${file ? titleOf(file) : t('nothing')}</h2>
      <p id="state" role="status">${t(state === 'failed' ? 'stopped' : state)}${player.wasReplaced ? html` ${t('replaced')}` : nothing}</p>
      ${player.blockage ? html`<p id="by-http" role="status">${t('byHttp', { port: player.blockage.port ?? '' })}</p>` : nothing}
      ${this.renderProblem(player)} ${this.renderPlace(player)}
      <div class="buttons">
        <button id="previous" type="button" aria-label=${t('previous')} title=${t('previous')} ?disabled=${!file} @click=${() => { player.previous(); }}>${previousIcon}</button>
        <button id="toggle" type="button" aria-label=${isOn ? t('pause') : t('play')} title=${isOn ? t('pause') : t('play')}
          ?disabled=${!file && !player.queue.coming.length} @click=${() => { player.toggle(); }}>
          ${isOn ? pauseIcon : playIcon}
        </button>
        <button id="next" type="button" aria-label=${t('next')} title=${t('next')} ?disabled=${!file} @click=${() => { player.next(); }}>${nextIcon}</button>
        <button id="stop" type="button" aria-label=${t('stop')} title=${t('stop')} ?disabled=${!file} @click=${() => { player.stop(); }}>${stopIcon}</button>
      </div>
      ${this.renderTaste(player)}
    `;
  }

  private renderProblem({ problem, file }: QueuePlayer): TemplateResult | typeof nothing {
    if (!problem) return nothing;
    return html`<div id="failed" role="alert">
      <p>${t(problem)}</p>
      <div class="buttons">
        <button id="again" type="button" @click=${() => this.player?.again()}>${t('again')}</button>
        ${file && this.base && problem === 'undecodable'
          ? html`<a id="download" href=${addressOf(this.base, file).href} target="_blank">${t('download')}</a>`
          : nothing}
      </div>
    </div>`;
  }

  private renderPlace(player: QueuePlayer): TemplateResult {
    const { position, duration, audio, peaks } = player;
    const length = duration || 1;
    const { buffered } = audio;
    const parts = Array.from({ length: buffered.length }, (_, index) => [buffered.start(index) / length, buffered.end(index) / length] as const);
    const time = t('time', { at: clock(position), length: clock(duration) });
    const seek = (event: Event) => {
      player.seek((event.target as HTMLInputElement).valueAsNumber);
    };
    return html`
      <div class="place">
        <wave-form .columns=${peaks ? peaks.columns : NO_COLUMNS} .buffered=${parts} .heard=${position / length}></wave-form>
        <input id="position" type="range" min="0" max=${Math.ceil(length)} step="1" aria-label=${t('position')} aria-valuetext=${time}
          ?disabled=${!player.file} .value=${String(Math.floor(position))} @change=${seek} />
      </div>
      <p class="time" id="time">${time}</p>
    `;
  }

  private renderTaste(player: QueuePlayer): TemplateResult {
    const { taste, audio } = player;
    return html`<div class="taste">
      <label>
        ${t('volume')}
        <input id="volume" type="range" min="0" max="1" step="0.05" .value=${String(taste.volume)}
          @input=${(event: Event) => { player.volume = (event.target as HTMLInputElement).valueAsNumber; }} />
      </label>
      <label>
        ${t('speed')}
        <select id="speed" @change=${(event: Event) => { player.speed = Number((event.target as HTMLSelectElement).value); }}>
          ${SPEEDS.map((speed) => html`<option value=${speed} ?selected=${speed === audio.playbackRate}>${speed} ×</option>`)}
        </select>
      </label>
      <label class="check">
        <input id="fast-start" type="checkbox" .checked=${taste.fastStart}
          @change=${(event: Event) => { player.keep({ fastStart: (event.target as HTMLInputElement).checked }); }} />
        <span>${t('fastStart')}. ${t('fastStartHint')}</span>
      </label>
    </div>`;
  }
}
