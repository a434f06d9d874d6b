// One room as a tile: who is there, who hears, and the switch to listen; or a device, which can be called. Tapped it is the one to talk to; held, one talks
// there for as long.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { TilePress } from '../lib/press';
import { houseWords as t } from '../messages/house';
import { bellIcon, chatIcon, loudspeakerIcon, silentIcon } from '../ui/icons';
import type { Presence } from '../rooms/room-protocol';
import type { PlaceView } from './house-view';
import { nameOf, peopleIn, signsOf, whoHears, whoIsThere } from './presence';

declare global {
  interface HTMLElementTagNameMap {
    'house-tile': HouseTile;
  }
  interface HTMLElementEventMap {
    /** Who talks is to talk to this room. */
    choose: CustomEvent<undefined>;
    /** A finger stays on it, or has gone. */
    hold: CustomEvent<boolean>;
    /** It is to be listened to, or no longer. */
    hear: CustomEvent<boolean>;
    /** It is to be called. */
    ring: CustomEvent<undefined>;
  }
}

@customElement('house-tile')
export class HouseTile extends LitElement {
  static override styles = css`
    :host {
      position: relative;
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      border: 2px solid var(--line);
      border-radius: 0.9rem;
      background: var(--surface);
    }
    :host([selected]) {
      border-color: var(--accent);
    }
    button {
      border: 0;
      background: none;
      color: inherit;
      font: inherit;
      cursor: pointer;
      -webkit-tap-highlight-color: transparent;
    }
    button:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 2px;
    }
    .choose {
      display: grid;
      gap: 0.1rem;
      align-content: center;
      min-height: 6.2rem;
      box-sizing: border-box;
      padding: 0.7rem 0 0.7rem 0.9rem;
      border-radius: 0.8rem;
      text-align: start;
      touch-action: manipulation;
      user-select: none;
      -webkit-user-select: none;
      -webkit-touch-callout: none;
    }
    .name {
      font-size: 1.1rem;
      font-weight: 650;
    }
    .name,
    .who,
    .ears {
      overflow: hidden;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    .who,
    .ears,
    .signs {
      color: var(--quiet);
      font-size: 0.9rem;
    }
    .signs {
      margin-left: 0.5rem;
      font-weight: 400;
    }
    .talking .who {
      color: var(--ink);
      font-weight: 600;
    }
    .talking .who::before {
      content: '';
      display: inline-block;
      width: 0.6rem;
      height: 0.6rem;
      margin-right: 0.4rem;
      border-radius: 50%;
      background: var(--level);
    }
    .hear {
      align-self: center;
      width: 2.9rem;
      height: 2.9rem;
      margin: 0 0.6rem;
      padding: 0.55rem;
      border: 2px solid var(--accent);
      border-radius: 50%;
      color: var(--accent);
    }
    .hear[aria-pressed='true'] {
      background: var(--accent);
      color: var(--on-accent);
    }
    button:disabled {
      border-color: var(--line);
      color: var(--quiet);
      cursor: default;
    }
  `;

  @property({ attribute: false }) place: PlaceView | null = null;
  /** Whether it is the one that is talked to. */
  @property({ type: Boolean, reflect: true }) selected = false;
  /** Whether it is this device itself, to which somebody talks. */
  @property({ type: Boolean }) own = false;
  /** Whether the relay is out of reach, so that nothing can be done here. */
  @property({ type: Boolean }) away = false;

  private readonly press = new TilePress({
    tap: () => {
      this.tell('choose');
    },
    hold: () => {
      this.tell('hold', true);
    },
    release: () => {
      this.tell('hold', false);
    },
  });

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.press.letGo();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { place } = this;
    if (!place) return nothing;
    const name = this.own ? t('toYou') : nameOf(place.room);
    const signs = signsOf(place.room);
    const isTalking = !this.away && peopleIn(place).some(({ talking }) => talking);
    const { press } = this;
    const station = this.own ? null : place.room.station;
    // Nobody hears what is said to a device that is not there.
    const isOut = this.away || Boolean(station && station !== 'here');
    return html`
      <button class=${isTalking ? 'choose talking' : 'choose'} type="button" aria-pressed=${this.selected} ?disabled=${isOut}
        @click=${press.clicked} @pointerdown=${press.pointerDown} @pointermove=${press.pointerMove} @pointerup=${press.letGo}
        @pointercancel=${press.letGo} @contextmenu=${press.menu}>
        <span class="name">${name}${signs.length ? html`<span class="signs">${signs.join(' · ')}</span>` : nothing}</span>
        ${this.away ? nothing : html`<span class="who">${whoIsThere(place)}</span><span class="ears">${whoHears(place) || nothing}</span>`}
      </button>
      ${this.own ? nothing : station ? this.renderCall(name, station) : this.renderListen(name, place)}
    `;
  }

  /** What else one does with a device: calls it, or leaves a message while it is away. */
  private renderCall(name: string, station: Presence): TemplateResult {
    const [act, words, icon] = station !== 'away' ? (['ring', t('ring', { name }), bellIcon] as const) : (['message', t('leaveMessage', { name }), chatIcon] as const);
    return html`<button class="hear" id=${act} type="button" aria-label=${words} title=${words} ?disabled=${this.away}
      @click=${() => { this.tell(act); }}>${icon}</button>`;
  }

  private renderListen(name: string, { listening }: PlaceView): TemplateResult {
    return html`<button class="hear" type="button" aria-label=${t('listenTo', { name })} title=${t('listen')} aria-pressed=${listening}
      ?disabled=${this.away} @click=${() => { this.tell('hear', !listening); }}>
      ${listening ? loudspeakerIcon : silentIcon}
    </button>`;
  }

  private tell(type: 'choose' | 'hold' | 'hear' | 'ring' | 'message', detail?: boolean): void {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }
}
