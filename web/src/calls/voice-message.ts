// One message that somebody has left: played with its waveform, at the speed that one likes, and deleted.

import { css, html, LitElement, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { spoken } from '../lib/i18n';
import { callWords as t } from '../messages/calls';
import { clock } from '../player/clock';
import '../player/wave-form';
import '../rooms/sure-button';
import { buttonStyles } from '../ui/button.styles';
import { fieldStyles } from '../ui/field.styles';
import { pauseIcon, playIcon } from '../ui/icons';
import type { VoiceMessage } from './call-protocol';

declare global {
  interface HTMLElementTagNameMap {
    'voice-message': VoiceMessageElement;
  }
}

const SPEEDS = [1, 1.5, 2] as const;

/** A message that was played so far, or to its end, was heard. */
const HEARD_SECONDS = 2;

const PATIENCE_MS = 5_000;

@customElement('voice-message')
export class VoiceMessageElement extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      :host {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.5rem;
      }
      header {
        display: flex;
        flex-wrap: wrap;
        gap: 0 0.6rem;
        align-items: baseline;
      }
      strong {
        overflow-wrap: anywhere;
      }
      small {
        color: var(--quiet);
        font-size: 0.9rem;
      }
      .new {
        padding: 0 0.5rem;
        border-radius: 1rem;
        background: var(--accent);
        color: var(--on-accent);
        font-weight: 600;
      }
      .wave {
        position: relative;
      }
      .wave input {
        position: absolute;
        inset: 0;
        height: 100%;
        opacity: 0;
        cursor: pointer;
      }
      .wave:focus-within {
        border-radius: 0.6rem;
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      .buttons {
        display: flex;
        flex-wrap: wrap;
        gap: 0.6rem;
        align-items: center;
      }
      .buttons button {
        display: flex;
        gap: 0.4rem;
        align-items: center;
        min-height: 3rem;
        padding-inline: 0.8rem;
      }
      .play {
        background: var(--accent);
        color: var(--on-accent);
      }
      svg {
        width: 1.3rem;
      }
      sure-button {
        margin-left: auto;
      }
      /* A phone at twice its size. */
      @media (max-width: 17rem) {
        .buttons button {
          padding-inline: 0.5rem;
        }
        .play svg {
          display: none;
        }
      }
    `,
  ];

  @property({ attribute: false }) message: VoiceMessage | null = null;
  @property({ attribute: false }) base: URL | null = null;
  /** For whom it is, where that is not this device alone. */
  @property() place = '';

  /** Where it is played, in seconds. */
  @state() private at = 0;
  @state() private isPlaying = false;
  @state() private speed = 0;
  @state() private trouble = '';
  @state() private columns = new Float32Array(0);

  private audio: HTMLAudioElement | null = null;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.audio?.pause();
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (!changes.has('message') || !this.message) return;
    const { peaks } = this.message;
    const loudest = Math.max(...peaks, 1);
    this.columns = Float32Array.from(peaks, (peak) => peak / loudest);
  }

  protected override render(): TemplateResult {
    const { message } = this;
    if (!message) return html``;
    const seconds = message.milliseconds / 1_000;
    const time = new Date(message.at * 1_000).toLocaleString(spoken(), { dateStyle: 'short', timeStyle: 'short' });
    const seek = (event: Event) => {
      this.seek(Number((event.target as HTMLInputElement).value));
    };
    return html`
      <header>
        <strong>${message.from.name}</strong>
        ${message.heard ? '' : html`<small class="new">${t('unheard')}</small>`}
        <small>${this.place ? `${t('messageTo', { name: this.place })} · ` : ''}${time} · ${clock(seconds)}</small>
      </header>
      <div class="wave">
        <wave-form .columns=${this.columns} .heard=${this.at / seconds}></wave-form>
        <input type="range" min="0" max=${seconds} step="0.1" .value=${String(this.at)} aria-label=${t('position')}
          aria-valuetext=${`${clock(this.at)} / ${clock(seconds)}`} @input=${seek} />
      </div>
      <div class="buttons">
        <button id="play" class="play" type="button" @click=${() => void this.toggle()}>
          ${this.isPlaying ? pauseIcon : playIcon} ${this.isPlaying ? t('pause') : t('play')}
        </button>
        <button id="speed" type="button" aria-label=${t('speed', { speed: this.rate })} @click=${this.hurry}>${this.rate}×</button>
        <sure-button label=${t('delete')} question=${t('deleteMessage', { name: message.from.name })} @sure=${() => void this.delete()}></sure-button>
      </div>
      <small role="status">${this.trouble}</small>
    `;
  }

  private get rate(): number {
    return SPEEDS[this.speed] ?? 1;
  }

  private readonly hurry = (): void => {
    this.speed = (this.speed + 1) % SPEEDS.length;
    if (this.audio) this.audio.playbackRate = this.rate;
  };

  private async toggle(): Promise<void> {
    const audio = this.load();
    if (!audio) return;
    if (this.isPlaying) {
      audio.pause();
      return;
    }
    this.trouble = '';
    // One at a time.
    this.dispatchEvent(new Event('play', { bubbles: true, composed: true }));
    try {
      if (audio.error) audio.load();
      await audio.play();
      // Loading resets it.
      audio.playbackRate = this.rate;
    } catch {
      this.trouble = t('unplayable');
    }
  }

  /** Plays no longer, since another does. */
  pause(): void {
    this.audio?.pause();
  }

  private seek(seconds: number): void {
    const audio = this.load();
    if (audio) audio.currentTime = seconds;
    this.at = seconds;
  }

  private load(): HTMLAudioElement | null {
    if (this.audio) return this.audio;
    const { message, base } = this;
    if (!message || !base) return null;
    const audio = new Audio();
    // Some browsers play Opus in other files only.
    const kind = audio.canPlayType('audio/ogg; codecs=opus') ? 'ogg' : 'mp3';
    audio.src = new URL(`api/voice-messages/${message.id}/speech.${kind}`, base).href;
    audio.onplay = audio.onpause = () => {
      this.isPlaying = !audio.paused;
    };
    audio.ontimeupdate = () => {
      this.at = audio.currentTime;
      if (audio.currentTime >= HEARD_SECONDS) void this.noteHeard();
    };
    audio.onended = () => {
      this.at = 0;
      void this.noteHeard();
    };
    return (this.audio = audio);
  }

  private async noteHeard(): Promise<void> {
    const { message } = this;
    if (!message || message.heard) return;
    // Once; the relay tells of it.
    this.message = { ...message, heard: true };
    const body = JSON.stringify({ heard: true });
    await this.ask({ method: 'PUT', headers: { 'Content-Type': 'application/json' }, body });
  }

  private async delete(): Promise<void> {
    this.audio?.pause();
    await this.ask({ method: 'DELETE' });
  }

  private async ask(request: RequestInit): Promise<void> {
    const { message, base } = this;
    if (!message || !base) return;
    try {
      const url = new URL(`api/voice-messages/${message.id}`, base);
      const answer = await fetch(url, { ...request, signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!answer.ok && answer.status !== 404) this.trouble = await answer.text();
    } catch {
      this.trouble = t('unreachable');
    }
  }
}
