// Sharing music with the room: where from, and, of a file, how it plays.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { buttonStyles } from '../ui/button.styles';
import { roomWords as t } from '../messages/room';
import type { AudioDevice } from '../session/devices';
import { SessionWatch } from '../ui/watch-session';
import { fieldStyles } from '../ui/field.styles';
import { canShareScreen, openFile, openInput, shareScreen } from './music-source';
import type { RoomSession } from './room-session';
import type { MusicView } from './room-view';

@customElement('music-panel')
export class MusicPanel extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      :host {
        display: block;
      }
      .ways,
      .playing {
        display: grid;
        gap: 0.75rem;
        padding-bottom: 0.75rem;
      }
      .playing p,
      #problem {
        margin: 0;
        overflow-wrap: anywhere;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem;
      }
      button {
        min-height: 3rem;
      }
      /* The file's own button says what browsers say; ours says what it is for. */
      input[type='file'] {
        position: absolute;
        width: 1px;
        height: 1px;
        overflow: hidden;
        clip-path: inset(50%);
      }
      .time {
        color: var(--quiet);
        font-size: 0.9rem;
        font-variant-numeric: tabular-nums;
      }
    `,
  ];

  @property({ attribute: false }) session: RoomSession | null = null;
  /** Inputs to choose from. */
  @property({ attribute: false }) inputs: readonly AudioDevice[] = [];

  @state() private isOpen = false;

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    const { music } = this.session.view;
    const isSharing = music.title !== null;
    return html`
      <details ?open=${this.isOpen || isSharing} @toggle=${this.toggled}>
        <summary>${t('music')}</summary>
        ${music.problem ? html`<p id="problem" role="alert">${t(`music_${music.problem}`)}</p>` : nothing}
        ${isSharing ? this.renderPlaying(music) : this.renderWays()}
      </details>
    `;
  }

  private renderWays(): TemplateResult {
    return html`<div class="ways">
      <div class="buttons">
        ${canShareScreen()
          ? html`<button id="share-screen" type="button" @click=${() => void this.session?.share(shareScreen)}>${t('fromScreen')}</button>`
          : nothing}
        <button id="share-file" type="button" @click=${this.choose}>${t('fromFile')}</button>
        <input id="file" type="file" accept="audio/*" tabindex="-1" aria-label=${t('fromFile')} @change=${this.chosen} />
      </div>
      ${this.inputs.length > 1 ? this.renderInputs() : nothing}
    </div>`;
  }

  private renderInputs(): TemplateResult {
    const choose = (event: Event) => {
      const { value, selectedOptions } = event.target as HTMLSelectElement;
      if (value) void this.session?.share(() => openInput(value, selectedOptions[0]?.label ?? ''));
    };
    return html`<label>
      ${t('fromInput')}
      <select id="input" @change=${choose}>
        <option value="">${t('choose')}</option>
        ${this.inputs.map(({ id, label }) => html`<option value=${id}>${label || id}</option>`)}
      </select>
    </label>`;
  }

  private renderPlaying({ title, player }: MusicView): TemplateResult {
    return html`<div class="playing">
      <p role="status" id="sharing">${title ? t('sharingTitle', { title }) : t('sharing')}</p>
      ${player ? this.renderPlayer(player) : nothing}
      <div class="buttons">
        ${player
          ? html`<button id="pause" type="button" @click=${() => this.session?.player?.toggle()}>${player.paused ? t('play') : t('pause')}</button>`
          : nothing}
        <button id="stop-music" type="button" @click=${() => this.session?.stopSharing()}>${t('stopMusic')}</button>
      </div>
    </div>`;
  }

  private renderPlayer({ position, length, volume }: NonNullable<MusicView['player']>): TemplateResult {
    const seek = (event: Event) => {
      this.session?.player?.seek((event.target as HTMLInputElement).valueAsNumber);
    };
    const turn = (event: Event) => {
      const player = this.session?.player;
      if (player) player.volume = (event.target as HTMLInputElement).valueAsNumber;
    };
    const time = t('time', { at: clock(position), length: clock(length) });
    return html`
      <label>
        <span>${t('position')} <span class="time">${time}</span></span>
        <input id="position" type="range" min="0" max=${Math.ceil(length) || 1} step="1" aria-valuetext=${time}
          .value=${String(Math.floor(position))} @change=${seek} />
      </label>
      <label>
        ${t('volume')}
        <input id="volume" type="range" min="0" max="1" step="0.05" .value=${String(volume)} @input=${turn} />
      </label>
    `;
  }

  private readonly toggled = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
  };

  private readonly choose = (): void => {
    this.renderRoot.querySelector<HTMLInputElement>('#file')?.click();
  };

  private readonly chosen = (event: Event): void => {
    const input = event.target as HTMLInputElement;
    const file = input.files?.[0];
    if (file) void this.session?.share(() => openFile(file));
    // The same file may be chosen again.
    input.value = '';
  };
}

/** Minutes and seconds. */
function clock(seconds: number): string {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, '0')}`;
}
