// The page as people see it: a view of the session, and nothing that the session does not know.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';

import { loudspeakerIcon, microphoneIcon, mutedIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import { t } from '../messages/page';
import { problemInWords } from '../messages/problems';
import { describe } from './page-state';
import { pageStyles } from './page.styles';
import '../ui/problem-help';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { hashOf } from './routes';
import { microphoneObstacle } from '../session/microphone';
import type { Problem } from '../session/problem';
import type { SessionView, VoiceSession } from '../session/session';
import '../ui/settings-panel';
import '../ui/speaker-list';
import { tokenPath } from '../lib/stream-addresses';
import '../ui/talk-button';

declare global {
  interface HTMLElementTagNameMap {
    'voice-relay-page': VoiceRelayPage;
  }
}

/** Without the relay for so long, the page says that it is out of reach; until then that it connects. */
const AWAY_MS = 2_000;

@customElement('voice-relay-page')
export class VoiceRelayPage extends LitElement {
  static override styles = pageStyles;

  @state() private view: SessionView | null = null;
  @state() private isAway = false;
  /** Whether this person may make links for others. */
  @state() private mayShare = false;
  private session: VoiceSession | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private readonly obstacle = obstacleHere();

  /** Shows this session from now on. */
  attach(session: VoiceSession): void {
    this.session = session;
    const show = () => {
      this.view = session.view;
      this.reflect(session.view);
      this.noteAway(session.view.connected);
    };
    session.addEventListener('change', show);
    show();
    void askRelay<RelayInfo>(session.base, 'api/info').then((info) => {
      this.mayShare = info?.body.may.includes('share') ?? false;
    });
  }

  /** The state as attributes, for styles and tests. */
  private reflect(view: SessionView): void {
    this.dataset['connection'] = view.connected ? 'up' : 'down';
    this.dataset['talk'] = view.talk;
    this.dataset['mic'] = view.microphone;
    this.dataset['listen'] = view.listening ? 'on' : 'off';
  }

  private noteAway(connected: boolean): void {
    if (connected) {
      clearTimeout(this.patience);
      this.patience = undefined;
      this.isAway = false;
      return;
    }
    this.patience ??= setTimeout(() => {
      this.isAway = true;
    }, AWAY_MS);
  }

  protected override render(): TemplateResult {
    const view = this.view;
    if (!view) return html``;
    return html`
      <header>
        <h1>${t('title')}</h1>
        <span class="connection ${view.connected ? 'up' : ''}">${this.connectionInWords(view)}</span>
      </header>
      <section class="dock" aria-label=${t('talkAndListen')}>
        <p id="state" role="status">${this.renderState(view)}</p>
        <level-meter .track=${this.session?.microphoneTrack ?? null} aria-label=${t('level')}></level-meter>
        ${this.renderButtons(view)}
      </section>
      <main>
        <problem-help
          .problem=${this.obstacle ?? view.problem}
          ?heard=${view.talk === 'live'}
          .base=${this.session?.base}
        ></problem-help>
        ${this.renderUnblock(view)}
        <a class="way" id="rooms-link" href=${hashOf({ view: 'rooms' })}>${t('rooms')}</a>
        <a class="way" id="sounds-link" href=${hashOf({ view: 'sounds' })}>${t('sounds')}</a>
        <section><speaker-list .session=${this.session}></speaker-list></section>
        <section class="settings"><settings-panel .session=${this.session}></settings-panel></section>
        ${renderPlayers(view, this.session ? tokenPath(this.session.base) : '/')}
        <footer>
          <a href=${hashOf({ view: 'status' })}>${t('status')}</a>
          ${this.mayShare ? html`<a id="share-link" href=${hashOf({ view: 'share' })}>${t('share')}</a>` : nothing}
        </footer>
      </main>
    `;
  }

  private connectionInWords(view: SessionView): string {
    if (view.connected) return t('connected');
    return this.isAway ? t('away') : t('connecting');
  }

  private renderState(view: SessionView): TemplateResult {
    const [first, ...others] = describe(view, this.isAway);
    return html`<strong>${first}</strong> ${others.join(' ')}`;
  }

  private renderButtons(view: SessionView): TemplateResult {
    const listen = () => {
      if (view.listening) this.session?.stopListening();
      else this.session?.listen();
    };
    return html`
      <div class="buttons">
        <button id="listen" type="button" aria-pressed=${view.listening} @click=${listen}>
          ${view.listening ? loudspeakerIcon : silentIcon}<span>${t('listen')}</span>
        </button>
        <talk-button space-bar .session=${this.session} .disabledReason=${this.obstacle && problemInWords(this.obstacle)}>
        </talk-button>
        <button
          id="mute"
          type="button"
          aria-pressed=${view.muted}
          ?disabled=${view.microphone !== 'live'}
          @click=${() => this.session?.setMuted(!view.muted)}
        >
          ${view.muted ? mutedIcon : microphoneIcon}<span>${t('mute')}</span>
        </button>
      </div>
    `;
  }

  private renderUnblock(view: SessionView): TemplateResult | typeof nothing {
    if (!view.streams.some((stream) => stream.state === 'blocked')) return nothing;
    return html`<section class="unblock" role="alert">
      ${t('blocked')}
      <button id="unblock" type="button" @click=${() => this.session?.unblock()}>${t('unblock')}</button>
    </section>`;
  }
}

/** What stands between this page and any microphone, or null. */
function obstacleHere(): Problem | null {
  const code = microphoneObstacle();
  return code && { code, detail: '' };
}

/** Where a media player finds the latest speaker; its place is kept until the relay has told the port. */
function renderPlayers({ mp3Port }: SessionView, path: string): TemplateResult {
  const isKnown = mp3Port !== null;
  const url = `http://${location.hostname}:${mp3Port ?? '00000'}${path}stream/latest.mp3`;
  return html`
    <section class=${isKnown ? '' : 'pending'}>
      <h2>${t('players')}</h2>
      <p>${t('playersHint')}</p>
      <p><a id=${isKnown ? 'mp3-link' : nothing} href=${isKnown ? url : nothing}>${url}</a></p>
    </section>
  `;
}
