// The page as people see it: a view of the session, and nothing that the session does not know.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';

import './level-meter';
import { problemInWords } from './messages/problems';
import { pageStyles } from './page.styles';
import { microphoneObstacle } from './session/microphone';
import { MAX_HEARD, type SessionView, type StreamView, type VoiceSession } from './session/session';

declare global {
  interface HTMLElementTagNameMap {
    'voice-relay-page': VoiceRelayPage;
  }
}

@customElement('voice-relay-page')
export class VoiceRelayPage extends LitElement {
  static override styles = pageStyles;

  @state() private view: SessionView | null = null;
  private session: VoiceSession | null = null;
  private readonly obstacle = microphoneObstacle();

  /** Shows this session from now on. */
  attach(session: VoiceSession): void {
    this.session = session;
    const show = () => {
      this.view = session.view;
      this.reflect(session.view);
    };
    session.addEventListener('change', show);
    show();
  }

  /** The state as attributes, for styles and tests. */
  private reflect(view: SessionView): void {
    this.dataset['connection'] = view.connected ? 'up' : 'down';
    this.dataset['talk'] = view.talk;
    this.dataset['mic'] = view.microphone;
    this.dataset['listen'] = view.listening ? 'on' : 'off';
  }

  protected override render(): TemplateResult {
    const view = this.view;
    if (!view) return html``;
    return html`
      <header>
        <h1>Voice Relay</h1>
        <span class="connection ${view.connected ? 'up' : ''}">${view.connected ? 'Connected' : 'Connecting…'}</span>
      </header>
      <section aria-label="Talk and listen">
        ${this.renderButtons(view)}
        <p id="state" role="status">${describe(view)}</p>
        <level-meter .track=${this.session?.microphoneTrack ?? null} aria-label="Level of your microphone"></level-meter>
        ${this.obstacle ? html`<p class="note" id="obstacle">${problemInWords({ code: this.obstacle, detail: '' })}</p>` : nothing}
        ${this.renderUnblock(view)}
      </section>
      ${this.renderStreams(view)} ${renderPlayers(view)}
    `;
  }

  private renderButtons(view: SessionView): TemplateResult {
    const talking = view.talk !== 'idle' && view.talk !== 'failed';
    const talk = () => {
      if (talking) this.session?.stopTalking();
      else void this.session?.talk();
    };
    const listen = () => {
      if (view.listening) this.session?.stopListening();
      else this.session?.listen();
    };
    return html`
      <div class="buttons">
        <button id="talk" aria-pressed=${talking} ?disabled=${this.obstacle !== null} @click=${talk}>
          ${talking ? 'Stop talking' : 'Talk'}
        </button>
        <button id="listen" aria-pressed=${view.listening} @click=${listen}>
          ${view.listening ? 'Stop listening' : 'Listen'}
        </button>
      </div>
    `;
  }

  private renderUnblock(view: SessionView): TemplateResult | typeof nothing {
    if (!view.streams.some((stream) => stream.state === 'blocked')) return nothing;
    return html`<p class="note">
      The browser holds the sound back.
      <button id="unblock" @click=${() => this.session?.unblock()}>Tap to hear</button>
    </p>`;
  }

  private renderStreams(view: SessionView): TemplateResult {
    const unheard = view.listening && view.streams.filter((stream) => !stream.own).length > MAX_HEARD;
    return html`
      <section aria-label="Who is talking">
        <h2>Who is talking</h2>
        ${view.streams.length
          ? html`<ul id="streams">
              ${view.streams.map((stream, index) => this.renderStream(stream, index))}
            </ul>`
          : html`<p class="note" id="streams">Nobody at the moment.</p>`}
        ${unheard ? html`<p class="note">Only the latest ${MAX_HEARD} are heard at once.</p>` : nothing}
      </section>
    `;
  }

  private renderStream(stream: StreamView, index: number): TemplateResult {
    const setVolume = (event: Event) => {
      this.session?.setVolume(stream.id, (event.target as HTMLInputElement).valueAsNumber);
    };
    const name = stream.own ? 'You' : stream.name || `Speaker ${index + 1}`;
    return html`
      <li data-stream=${stream.id} data-state=${stream.state}>
        <span title=${stream.id}>${name}<span class="note">${inWords(stream)}</span></span>
        <a href="stream/${stream.id}.mp3">MP3</a>
        ${stream.own || stream.state === 'off'
          ? nothing
          : html`<label>
                Volume
                <input type="range" min="0" max="1" step="0.05" .value=${String(stream.volume)} @input=${setVolume} />
              </label>
              <level-meter .level=${stream.level} aria-label="Level of ${name}"></level-meter>`}
      </li>
    `;
  }
}

function inWords(stream: StreamView): string {
  if (stream.own) return '';
  return { off: '', connecting: ' · connecting…', playing: ' · heard', blocked: ' · held back' }[stream.state];
}

/** The state of things in one sentence or two. */
function describe(view: SessionView): string {
  return `${describeTalk(view)} ${describeListening(view)}`.trim();
}

function describeTalk(view: SessionView): string {
  switch (view.talk) {
    case 'idle':
      return view.connected ? 'The microphone is off.' : 'Looking for the relay… The microphone is off.';
    case 'starting':
      return view.microphone === 'live' ? 'Connecting… The microphone is on.' : 'Opening the microphone…';
    case 'live':
      return 'You are live: the microphone is on.';
    case 'reconnecting':
      return view.microphone === 'live' ? 'Reconnecting… The microphone is on.' : 'Reconnecting…';
    case 'failed':
      return view.problem ? problemInWords(view.problem) : '';
  }
}

function describeListening(view: SessionView): string {
  if (!view.listening) return '';
  const heard = view.streams.filter((stream) => stream.state === 'playing').length;
  if (heard === 0) return 'Listening: nobody is heard yet.';
  return heard === 1 ? 'You hear one speaker.' : `You hear ${heard} speakers.`;
}

/** Where a media player finds the latest speaker. */
function renderPlayers(view: SessionView): TemplateResult | typeof nothing {
  if (view.mp3Port === null) return nothing;
  const url = `http://${location.hostname}:${view.mp3Port}/stream/latest.mp3`;
  return html`
    <section aria-label="Media players">
      <h2>On a media player</h2>
      <p class="note">Give this address to any player of the house; it plays whoever talks.</p>
      <p class="note"><a id="mp3-link" href=${url}>${url}</a></p>
    </section>
  `;
}
