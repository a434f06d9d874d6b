// A room as a tile among Home Assistant's own: who is there, what a tap and a hold do, and a row of buttons. Without its face
// it is the row alone, as a feature of a tile of Home Assistant's.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { Announcer } from '../house/announcer';
import { TilePress } from '../lib/press';
import { announceWords, announcedInWords, recordingHint, recordingInWords } from '../messages/announce';
import { callWords } from '../messages/calls';
import { t, troubleInWords } from '../messages/card';
import { isTalking } from '../rooms/room-voice';
import { microphoneObstacle } from '../session/microphone';
import { announceIcon, bellIcon, loudspeakerIcon, silentIcon, stopIcon } from '../ui/icons';
import '../ui/talk-button';
import { SessionWatch } from '../ui/watch-session';
import { askHass, type TileAction } from './actions';
import { presenceInWords, talkBriefly, whyNotTalk } from './card-words';
import type { CardConfig } from './config';
import type { Place } from './place';
import { CardRing } from './ring';

/** How an announcement went is to be read for so long. */
const TOLD_MS = 6_000;

@customElement('relay-tile')
export class RelayTile extends LitElement {
  static override styles = css`
    :host {
      display: grid;
      gap: 0.75rem;
      --ring: var(--quiet);
    }
    :host([data-state='listening']) {
      --ring: var(--accent);
    }
    :host([data-state='talking']) {
      --ring: var(--live);
    }
    button {
      color: inherit;
      font: inherit;
      cursor: pointer;
      -webkit-tap-highlight-color: transparent;
    }
    button:disabled {
      color: var(--quiet);
      cursor: default;
    }
    button:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 2px;
    }
    .face {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      gap: 0 0.65rem;
      align-items: center;
      min-height: 2.25rem;
      padding: 0;
      border: 0;
      border-radius: 0.5rem;
      background: none;
      text-align: start;
      touch-action: manipulation;
      user-select: none;
      -webkit-user-select: none;
      -webkit-touch-callout: none;
    }
    .icon {
      display: grid;
      place-items: center;
      grid-row: span 2;
      width: 2.25rem;
      height: 2.25rem;
      border-radius: 50%;
      background: color-mix(in srgb, var(--ring) 20%, transparent);
      color: var(--ring);
    }
    svg {
      width: 1.5rem;
      height: 1.5rem;
    }
    .name,
    .words {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
      line-height: 1.25rem;
    }
    .name {
      font-size: 0.9rem;
      font-weight: 500;
    }
    .words {
      color: var(--quiet);
      font-size: 0.8rem;
    }
    .buttons {
      display: grid;
      grid-auto-columns: minmax(0, 1fr);
      grid-auto-flow: column;
      gap: 0.5rem;
      --talk-radius: var(--feature-border-radius, 0.75rem);
    }
    .buttons > * {
      box-sizing: border-box;
      width: 100%;
      height: var(--feature-height, 2.65rem);
    }
    .buttons button {
      display: grid;
      place-items: center;
      padding: 0;
      border: 0;
      border-radius: var(--feature-border-radius, 0.75rem);
      background: color-mix(in srgb, var(--accent) 16%, transparent);
      color: var(--ink);
    }
    .buttons button[aria-pressed='true'] {
      background: var(--accent);
      color: var(--on-accent);
    }
    .buttons #announce[aria-pressed='true'] {
      background: var(--live);
      color: var(--on-live);
      touch-action: none;
    }
    .buttons button:disabled {
      background: color-mix(in srgb, var(--quiet) 12%, transparent);
      color: var(--quiet);
    }
    .trouble {
      margin: 0;
      overflow: hidden;
      color: var(--quiet);
      font-size: 0.8rem;
      line-height: var(--feature-height, 2.65rem);
      text-align: center;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
  `;

  /** The card's place, which is its session. */
  @property({ attribute: false }) session: Place | null = null;
  @property({ attribute: false }) config: CardConfig | null = null;
  /** What the tile is called. */
  @property() name = '';
  /** Nothing but the row of buttons. */
  @property({ type: Boolean }) bare = false;

  private readonly obstacle = microphoneObstacle();
  private telling: ReturnType<typeof setTimeout> | undefined;
  private readonly announcer = new Announcer(this, {
    source: () => this.session?.recording ?? null,
    places: () => this.session?.announcesIn ?? [],
    chimeFirst: () => true,
  });
  private readonly ringing = new CardRing(this, {
    base: () => this.session?.recording?.base ?? null,
    to: () => this.session?.calls ?? 'everybody',
    called: () => this.name,
    name: () => this.config?.name ?? '',
  });
  private readonly press = new TilePress({
    tap: () => {
      this.tap();
    },
    hold: () => {
      this.hold(this.config?.hold ?? 'none');
    },
    release: () => {
      this.release(this.config?.hold ?? 'none');
    },
  });

  constructor() {
    super();
    new SessionWatch(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.telling);
    this.press.letGo();
  }

  protected override updated(): void {
    const { announcer } = this;
    if (announcer.stage !== 'sent' || announcer.isGoing) {
      clearTimeout(this.telling);
      this.telling = undefined;
      return;
    }
    this.telling ??= setTimeout(() => {
      announcer.again();
    }, TOLD_MS);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { config } = this;
    if (!config) return nothing;
    const view = this.session?.view;
    const isLive = isTalking(view?.talk ?? 'idle') || this.announcer.isRecording;
    this.dataset['state'] = isLive ? 'talking' : view?.connected && view.listening ? 'listening' : 'idle';
    return html`
      ${this.bare ? nothing : this.renderFace(config)}
      ${this.bare && this.session?.line.trouble
        ? html`<p class="trouble" role="alert">${troubleInWords(this.session.line.trouble)}</p>`
        : config.buttons.length
          ? this.renderButtons(config)
          : nothing}
    `;
  }

  private renderFace({ icon, tap }: CardConfig): TemplateResult {
    const { press } = this;
    const view = this.session?.view;
    const isPressed = tap === 'listen' ? (view?.listening ?? false) : tap === 'talk' ? isTalking(view?.talk ?? 'idle') : nothing;
    return html`<button class="face" type="button" aria-pressed=${isPressed} ?disabled=${!view?.connected}
      @click=${press.clicked} @pointerdown=${press.pointerDown} @pointermove=${press.pointerMove} @pointerup=${press.letGo}
      @pointercancel=${press.letGo} @contextmenu=${press.menu}>
      <span class="icon">${pictureOf(icon, view?.listening ?? false)}</span>
      <span class="name">${this.name}</span>
      <span class="words" id="state" role="status">${this.words}</span>
    </button>`;
  }

  /** What goes on, in one line: what we do ourselves comes first. */
  private get words(): string {
    const { announcer } = this;
    const view = this.session?.view ?? null;
    if (announcer.said) return announcer.said;
    if (this.ringing.words) return this.ringing.words;
    if (announcer.isRecording || announcer.stage === 'preparing') return `${recordingInWords(announcer)} (${recordingHint(announcer)})`;
    if (announcer.stage !== 'choosing') return announcedInWords(announcer.announcement, (place) => this.session?.nameOf(place) ?? this.name);
    if (!view?.connected) return t('looking');
    return isTalking(view.talk) || !view.place ? talkBriefly(view) : presenceInWords(view.place);
  }

  private renderButtons({ buttons }: CardConfig): TemplateResult {
    const draw = { talk: () => this.renderTalk(), listen: () => this.renderListen(), announce: () => this.renderAnnounce(), ring: () => this.renderRing() };
    return html`<div class="buttons">${buttons.map((button) => draw[button]())}</div>`;
  }

  private renderTalk(): TemplateResult {
    return html`<talk-button compact .session=${this.session} .disabledReason=${whyNotTalk(this.session?.view ?? null)}></talk-button>`;
  }

  private renderListen(): TemplateResult {
    const view = this.session?.view;
    const listening = view?.listening ?? false;
    return html`<button id="listen" type="button" title=${t('listen')} aria-label=${t('listen')} aria-pressed=${listening}
      ?disabled=${!view?.connected} @click=${() => { this.toggleListening(); }}>${listening ? loudspeakerIcon : silentIcon}</button>`;
  }

  private renderAnnounce(): TemplateResult {
    const { announcer } = this;
    const { press } = announcer;
    if (announcer.isGoing) {
      const words = announceWords('stop');
      return html`<button id="announce" type="button" title=${words} aria-label=${words} @click=${() => { announcer.stop(); }}>${stopIcon}</button>`;
    }
    const words = announceWords('title');
    return html`<button id="announce" type="button" title=${words} aria-label=${words} aria-pressed=${announcer.isRecording}
      ?disabled=${this.obstacle !== null || !this.session?.view.connected} @pointerdown=${press.pointerDown} @pointerup=${press.pointerUp}
      @pointercancel=${() => { press.cancel(); }} @click=${press.clicked} @contextmenu=${this.press.menu}>${announceIcon}</button>`;
  }

  private renderRing(): TemplateResult {
    const { ringing } = this;
    const words = ringing.isRinging ? callWords('cancel') : t('doRing');
    return html`<button id="ring" type="button" title=${words} aria-label=${words} aria-pressed=${ringing.isRinging}
      ?disabled=${!this.session?.view.connected} @click=${() => { ringing.toggle(); }}>${bellIcon}</button>`;
  }

  private toggleListening(): void {
    this.session?.listen(!this.session.view.listening);
  }

  private tap(): void {
    const action: TileAction = this.config?.tap ?? 'none';
    const { session, announcer } = this;
    if (action === 'listen') this.toggleListening();
    else if (action === 'announce') announcer.press.toggle();
    else if (action === 'ring') this.ringing.toggle();
    else if (action === 'talk') {
      if (isTalking(session?.view.talk ?? 'idle')) session?.stopTalking();
      else void this.talk();
    } else if (action !== 'none') askHass(this, 'tap', action);
  }

  private hold(action: TileAction): void {
    if (action === 'talk') void this.talk();
    else if (action === 'listen') this.toggleListening();
    else if (action === 'announce') this.announcer.press.down(performance.now());
    else if (action === 'ring') this.ringing.toggle();
    else if (action !== 'none') askHass(this, 'hold', action);
  }

  private release(action: TileAction): void {
    if (action === 'talk') this.session?.stopTalking();
    else if (action === 'announce') this.announcer.press.cancel();
  }

  private async talk(): Promise<void> {
    if (!this.obstacle) await this.session?.talk();
  }
}

/** The icon that was chosen, drawn by Home Assistant, which alone knows them all; else whether one listens. */
function pictureOf(icon: string, listening: boolean): TemplateResult | TemplateResult<2> {
  if (icon && customElements.get('ha-icon')) return html`<ha-icon .icon=${icon}></ha-icon>`;
  return listening ? loudspeakerIcon : silentIcon;
}
