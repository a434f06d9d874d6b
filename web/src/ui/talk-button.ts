// The talk button: held it talks while it is held, tapped it talks until the next tap. For the page and for cards.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { microphoneIcon } from './icons';
import { t } from '../messages/talk-button';
import { ButtonPress } from '../lib/press';
import { isTalking, type TalkState } from '../rooms/room-voice';
import { SessionWatch, type TalkSession } from './watch-session';

declare global {
  interface HTMLElementTagNameMap {
    'talk-button': TalkButton;
  }
}

/** What is felt when others begin to hear us, and when they no longer do, in milliseconds. */
const LIVE_PATTERN = [40];
const END_PATTERN = [20, 60, 20];

@customElement('talk-button')
export class TalkButton extends LitElement {
  static override styles = css`
    :host {
      display: inline-block;
      width: var(--talk-size, 9rem);
      height: var(--talk-size, 9rem);
    }
    button {
      display: grid;
      align-content: center;
      justify-items: center;
      box-sizing: border-box;
      width: 100%;
      height: 100%;
      padding: 0;
      border: 3px solid var(--accent);
      border-radius: var(--talk-radius, 50%);
      background: var(--accent);
      color: var(--on-accent);
      font: inherit;
      cursor: pointer;
      touch-action: none;
      user-select: none;
      -webkit-user-select: none;
      -webkit-touch-callout: none;
      -webkit-tap-highlight-color: transparent;
      transition:
        background 120ms,
        transform 120ms;
    }
    button:active {
      transform: scale(0.97);
    }
    button[aria-pressed='true'] {
      border-color: var(--live);
      background: var(--live);
      color: var(--on-live);
    }
    button:is(.starting, .reconnecting) {
      border-style: dashed;
      background: var(--surface);
      color: var(--live);
    }
    button.live {
      animation: breathe 2s ease-in-out infinite;
    }
    button:disabled {
      border-color: var(--line);
      background: var(--surface);
      color: var(--quiet);
      cursor: not-allowed;
      transform: none;
    }
    button:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 4px;
    }
    svg {
      width: 34%;
      pointer-events: none;
    }
    .name {
      font-size: min(1.25rem, var(--talk-size, 9rem) * 0.155);
      font-weight: 650;
      line-height: 1.3;
    }
    .target {
      display: -webkit-box;
      max-width: 88%;
      overflow: hidden;
      font-size: min(1.15rem, var(--talk-size, 9rem) * 0.14);
      font-weight: 650;
      line-height: 1.15;
      overflow-wrap: anywhere;
      -webkit-box-orient: vertical;
      -webkit-line-clamp: 2;
    }
    .hint {
      min-height: 1.4em;
      font-size: 0.8rem;
      line-height: 1.4;
    }
    :host([compact]) :is(.name, .target, .hint) {
      position: absolute;
      width: 1px;
      height: 1px;
      overflow: hidden;
      clip-path: inset(50%);
    }
    :host([compact]) svg {
      width: min(55%, 1.5rem);
    }
    @keyframes breathe {
      50% {
        box-shadow: 0 0 0 var(--talk-glow, 0.75rem) color-mix(in srgb, var(--live) 22%, transparent);
      }
    }
    @media (prefers-reduced-motion: reduce) {
      button {
        animation: none !important;
        transition: none;
      }
    }
  `;

  /** Whose microphone it opens. */
  @property({ attribute: false }) session: TalkSession | null = null;
  /** Why nobody can talk here; the button is off then, and shows this to whoever asks. */
  @property({ attribute: 'disabled-reason' }) disabledReason: string | null = null;
  /** Whom one talks to; empty where that is clear. */
  @property() target = '';
  /** Without words, for where there is little room; they are read aloud all the same. */
  @property({ type: Boolean, reflect: true }) compact = false;
  /** The space bar works anywhere in the page, not only while the button has the focus. */
  @property({ type: Boolean, attribute: 'space-bar' }) spaceBar = false;

  private readonly press = new ButtonPress({
    isTalking: () => isTalking(this.state),
    start: () => void this.session?.talk(),
    stop: () => this.session?.stopTalking(),
  });
  private spaceIsDown = false;
  private felt: TalkState = 'idle';

  constructor() {
    super();
    new SessionWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('keydown', this.keyDown);
    window.addEventListener('keyup', this.keyUp);
    window.addEventListener('blur', this.letGo);
    document.addEventListener('visibilitychange', this.letGo);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('keydown', this.keyDown);
    window.removeEventListener('keyup', this.keyUp);
    window.removeEventListener('blur', this.letGo);
    document.removeEventListener('visibilitychange', this.letGo);
    this.letGo();
  }

  private get state(): TalkState {
    return this.session?.view.talk ?? 'idle';
  }

  protected override render(): TemplateResult {
    const state = this.state;
    const pressed = isTalking(state);
    return html`
      <button
        id="talk"
        type="button"
        class=${state}
        aria-pressed=${pressed}
        aria-describedby="hint"
        title=${this.disabledReason ?? nothing}
        ?disabled=${this.disabledReason !== null || !this.session}
        @pointerdown=${this.press.pointerDown}
        @pointerup=${this.released}
        @pointercancel=${this.letGo}
        @click=${this.press.clicked}
        @contextmenu=${(event: Event) => {
          event.preventDefault();
        }}
      >
        ${microphoneIcon}
        <span class="name">${this.target ? t('talkTo') : t('talk')}</span>
        ${this.target ? html`<span class="target">${this.target}</span>` : nothing}
        <span class="hint" id="hint">${this.hint(state)}</span>
      </button>
    `;
  }

  protected override updated(changes: PropertyValues<this>): void {
    super.updated(changes);
    const [before, now] = [this.felt, this.state];
    this.felt = now;
    if (now === before) return;
    if (now === 'live') vibrate(LIVE_PATTERN);
    else if (isTalking(before) && !isTalking(now)) vibrate(END_PATTERN);
  }

  private hint(state: TalkState): string {
    if (state === 'failed') return t('idle');
    return state === 'live' && this.press.isHeld ? t('held') : t(state);
  }

  private readonly released = (event: PointerEvent) => {
    this.press.pointerUp(event);
    this.requestUpdate();
  };

  private readonly keyDown = (event: KeyboardEvent) => {
    if (event.code !== 'Space' || event.ctrlKey || event.altKey || event.metaKey || !this.meansUs()) return;
    event.preventDefault();
    if (event.repeat) return;
    this.spaceIsDown = true;
    this.press.down(event.timeStamp);
  };

  private readonly keyUp = (event: KeyboardEvent) => {
    if (event.code !== 'Space' || !this.spaceIsDown) return;
    // The button would take it for a click.
    event.preventDefault();
    this.spaceIsDown = false;
    this.press.up(event.timeStamp);
    this.requestUpdate();
  };

  private readonly letGo = () => {
    this.spaceIsDown = false;
    this.press.cancel();
  };

  /** Whether a key is for this button: it has the focus, or nothing has that uses keys itself. */
  private meansUs(): boolean {
    if (this.disabledReason !== null || !this.session) return false;
    if (this.shadowRoot?.activeElement) return true;
    return this.spaceBar && this.checkVisibility() && !usesKeys(focused());
  }
}

/** The element with the focus, through all shadow roots. */
function focused(): Element | null {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element;
}

function usesKeys(element: Element | null): boolean {
  return element?.matches('input, select, textarea, button, a[href], summary, audio, video, [contenteditable]') ?? false;
}

/** Not every device can, and browsers refuse before the first touch. */
function vibrate(pattern: number[]): void {
  if ('vibrate' in navigator) navigator.vibrate(pattern);
}
