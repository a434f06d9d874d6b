// The wall panel: a tablet on the wall, with a clock, the rooms and devices as large tiles, and one button to talk. Its screen
// stays on, is dark while nobody needs it, and bright as soon as something happens.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { becomePanel, panelHash } from '../calls/panel-address';
import type { HouseSession } from '../house/house-session';
import type { HouseView } from '../house/house-view';
import { talkTarget } from '../house/house-words';
import { tilesOf, visitedIn } from '../house/tiles';
import '../house/welcome-form';
import { spoken } from '../lib/i18n';
import { ScreenLight } from '../lib/screen-light';
import { panelWords as t } from '../messages/panel';
import { problemInWords } from '../messages/problems';
import { isTalking } from '../rooms/room-voice';
import { browserStorage } from '../session/choices';
import { microphoneObstacle } from '../session/microphone';
import { buttonStyles } from '../ui/button.styles';
import '../ui/copy-text';
import '../ui/talk-button';
import { SessionWatch } from '../ui/watch-session';

declare global {
  interface HTMLElementTagNameMap {
    'panel-page': PanelPage;
  }
}

/** Untouched for so long, and with nothing going on, the panel is dark. */
const DARK_AFTER_MS = 60_000;

@customElement('panel-page')
export class PanelPage extends LitElement {
  static override styles = [
    buttonStyles,
    css`
      :host {
        display: grid;
        grid-template: auto 1fr auto / minmax(0, 1fr);
        gap: 1rem;
        box-sizing: border-box;
        min-height: 100dvh;
        padding: max(1rem, env(safe-area-inset-top)) 1rem max(1rem, env(safe-area-inset-bottom));
      }
      header,
      footer {
        display: flex;
        flex-wrap: wrap;
        gap: 0.75rem 1rem;
        align-items: center;
        justify-content: space-between;
      }
      h1 {
        margin: 0;
        font-size: clamp(2.5rem, 12vw, 5rem);
        font-weight: 300;
        line-height: 1;
        font-variant-numeric: tabular-nums;
      }
      h1:focus {
        outline: none;
      }
      .day {
        display: block;
        margin-top: 0.4rem;
        color: var(--quiet);
        font-size: 1.1rem;
        font-weight: 400;
        line-height: 1.3;
      }
      .tiles {
        display: grid;
        grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
        gap: 0.75rem;
        align-content: start;
      }
      footer {
        position: sticky;
        bottom: 0;
        flex-wrap: nowrap;
        justify-content: center;
        padding-block: 0.5rem;
        background: var(--ground);
      }
      footer button {
        min-height: 4rem;
        padding-inline: 1.5rem;
        border-radius: 2rem;
        font-size: 1.1rem;
      }
      a {
        color: var(--accent);
      }
      a:focus-visible,
      summary:focus-visible {
        outline: 3px solid var(--accent);
        outline-offset: 2px;
      }
      details {
        grid-column: 1 / -1;
        color: var(--quiet);
      }
      summary {
        padding-block: 0.75rem;
        cursor: pointer;
      }
      details p {
        margin: 0 0 0.75rem;
      }
      /* A phone at twice its size. */
      @media (max-width: 17rem) {
        footer {
          position: static;
          flex-wrap: wrap;
        }
      }
      .dark {
        position: fixed;
        z-index: 2;
        inset: 0;
        display: grid;
        padding: 10vmin;
        border: 0;
        border-radius: 0;
        background: #000;
        color: #8a8a8a;
        font: 300 clamp(3rem, 18vmin, 9rem) / 1 system-ui, sans-serif;
        font-variant-numeric: tabular-nums;
        cursor: none;
        /* The clock is moved, so that it burns no picture into the screen. */
        &[data-row='0'] {
          align-items: start;
        }
        &[data-row='1'] {
          align-items: center;
        }
        &[data-row='2'] {
          align-items: end;
        }
        &[data-column='0'] {
          justify-items: start;
        }
        &[data-column='1'] {
          justify-items: center;
        }
        &[data-column='2'] {
          justify-items: end;
        }
      }
      .dark:focus-visible {
        outline: 0;
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private now = new Date();
  @state() private isDark = false;
  @state() private isFull = document.fullscreenElement !== null;

  private readonly light = new ScreenLight();
  private readonly obstacle = microphoneObstacle();
  private ending: AbortController | null = null;
  /** When somebody last touched it, or something happened. */
  private busyAt = performance.now();

  constructor() {
    super();
    new SessionWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    const chosen = this.session && becomePanel(location.hash, this.session.choices, browserStorage());
    if (chosen) this.session?.choose(chosen);
    this.light.isWanted = true;
    this.ending = new AbortController();
    const { signal } = this.ending;
    for (const touch of ['pointerdown', 'keydown'] as const) window.addEventListener(touch, () => { this.wake(); }, { signal, capture: true });
    document.addEventListener('fullscreenchange', () => { this.isFull = document.fullscreenElement !== null; }, { signal });
    const ticking = setInterval(() => { this.tick(); }, 1_000);
    signal.addEventListener('abort', () => { clearInterval(ticking); });
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ending?.abort();
    this.light.isWanted = false;
    if (document.fullscreenElement) void document.exitFullscreen();
  }

  protected override willUpdate(): void {
    const { session } = this;
    if (!session) return;
    // What happens is to be seen at once.
    if (isBusy(session.view)) this.wake();
    this.writeAddress(session);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session) return nothing;
    const { view } = session;
    this.dataset['dark'] = this.isDark ? 'yes' : 'no';
    return html`
      <header>
        <h1 tabindex="-1">${this.time}<span class="day">${this.now.toLocaleDateString(spoken(), { weekday: 'long', day: 'numeric', month: 'long' })}</span></h1>
        <span>
          ${document.fullscreenEnabled && !this.isFull ? html`<button id="full" type="button" @click=${() => void document.documentElement.requestFullscreen()}>${t('full')}</button>` : nothing}
        </span>
      </header>
      ${view.joined ? this.renderHouse(view, session) : html`<main><welcome-form .session=${session} ?away=${!view.connected}></welcome-form></main>`}
      ${this.isDark ? this.renderDark() : nothing}
    `;
  }

  private renderHouse(view: HouseView, session: HouseSession): TemplateResult {
    const { own, places, stations } = view;
    const here = stations.filter(({ room }) => room.station !== 'away');
    return html`
      <main>
        ${view.connected ? nothing : html`<p role="alert">${t('away')}</p>`}
        <div class="tiles">${tilesOf([...visitedIn(view), ...(places ?? []), ...here], session, { isAway: !view.connected, mayTalk: !this.obstacle })}</div>
      </main>
      <footer>
        <button id="everyone" type="button" ?disabled=${!view.connected} @click=${() => { session.calls.ring(['everybody']); }}>${t('everyone')}</button>
        <talk-button .session=${session} .target=${talkTarget(view)} .disabledReason=${this.obstacle ? problemInWords({ code: this.obstacle, detail: '' }) : null}></talk-button>
      </footer>
      <details>
        <summary>${t('title')}: ${own?.room.name ?? session.choices.name}</summary>
        <copy-text .value=${location.href} label=${t('address')}>${t('address')}</copy-text>
        <p>${t('addressHint')}</p>
        <p><a id="leave" href="#/">${t('leave')}</a></p>
      </details>
    `;
  }

  /** Only the clock, in another of nine places each minute. */
  private renderDark(): TemplateResult {
    const minute = this.now.getMinutes();
    return html`<button class="dark" id="dark" type="button" aria-label=${`${this.time}. ${t('asleep')}`} data-row=${minute % 3} data-column=${Math.floor(minute / 3) % 3}>${this.time}</button>`;
  }

  private get time(): string {
    return this.now.toLocaleTimeString(spoken(), { timeStyle: 'short' });
  }

  private tick(): void {
    this.now = new Date();
    if (performance.now() - this.busyAt >= DARK_AFTER_MS) this.isDark = true;
  }

  private wake(): void {
    this.busyAt = performance.now();
    this.isDark = false;
  }

  /** The address is all that this device needs to be the same one again. */
  private writeAddress({ calls, choices, view }: HouseSession): void {
    const { station } = calls;
    if (!view.own || !station?.key) return;
    const hash = panelHash({ key: station.key, name: choices.name, rooms: choices.listensTo });
    if (location.hash !== hash) history.replaceState(null, '', hash);
  }
}

/** Whether something goes on that somebody near should see. */
function isBusy({ calls, messages, talk, heard }: HouseView): boolean {
  return Boolean(calls.current ?? calls.ended ?? messages.recording) || isTalking(talk) || heard.length > 0;
}
