// Who is talking: name, loudness, and whether and how loud each is heard here.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { loudspeakerIcon, silentIcon } from './icons';
import './level-meter';
import { t } from '../messages/speaker-list';
import { hashOf } from '../pages/routes';
import { MAX_HEARD, type SessionView, type StreamView, type VoiceSession } from '../session/session';
import { speakerListStyles } from './speaker-list.styles';
import { SessionWatch } from './watch-session';

declare global {
  interface HTMLElementTagNameMap {
    'speaker-list': SpeakerList;
  }
}

@customElement('speaker-list')
export class SpeakerList extends LitElement {
  static override styles = speakerListStyles;

  /** Whose streams it shows. */
  @property({ attribute: false }) session: VoiceSession | null = null;

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    const view = this.session.view;
    const others = view.streams.filter((stream) => !stream.own);
    return html`
      <h2>${t('title')}</h2>
      ${view.streams.length
        ? html`<ul id="streams">
            ${repeat(
              view.streams,
              ({ id }) => id,
              (stream, index) => this.renderStream(stream, index, view),
            )}
          </ul>`
        : html`<p class="quiet" id="streams">${t('nobody')}</p>`}
      ${view.listening && others.length > MAX_HEARD ? html`<p class="quiet">${t('limit', { count: MAX_HEARD })}</p>` : nothing}
    `;
  }

  private renderStream(stream: StreamView, index: number, view: SessionView): TemplateResult {
    const called = stream.name || t('speaker', { number: index + 1 });
    const name = stream.own ? t('you') : called;
    return html`
      <li data-stream=${stream.id} data-state=${stream.state}>
        <span class="name" title=${called}>${name}</span>
        <span class="quiet state">${stream.own ? stream.name : t(stream.state)}</span>
        <a href=${hashOf({ view: 'stream', id: stream.id })} aria-label=${t('detailsOf', { name })}>${t('details')}</a>
        ${stream.own ? nothing : this.renderControls(stream, name, view.listening)}
      </li>
    `;
  }

  private renderControls(stream: StreamView, name: string, listening: boolean): TemplateResult {
    const heard = stream.state !== 'off';
    const setVolume = (event: Event) => {
      this.session?.setVolume(stream.id, (event.target as HTMLInputElement).valueAsNumber);
    };
    return html`
      <level-meter .level=${stream.level} aria-label=${t('level', { name })}></level-meter>
      <div class="controls">
        <button
          type="button"
          class="hear"
          aria-label=${t('listen', { name })}
          aria-pressed=${heard}
          ?disabled=${!listening}
          @click=${() => this.session?.setHeard(stream.id, !heard)}
        >
          ${heard ? loudspeakerIcon : silentIcon}
        </button>
        <input
          type="range"
          min="0"
          max="1"
          step="0.05"
          aria-label=${t('volume', { name })}
          .value=${String(stream.volume)}
          ?disabled=${!heard}
          @input=${setVolume}
        />
      </div>
    `;
  }
}
