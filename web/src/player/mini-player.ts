// What is played, on every view but the one that shows its player: pause, the way back there, and stop.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { soundsWords as t } from '../messages/sounds';
import { hashOf, routeOf } from '../pages/routes';
import { pauseIcon, playIcon, stopIcon } from '../ui/icons';
import { DRAWER } from './drawer';
import { titleOf } from './library';
import type { QueuePlayer } from './queue-player';
import { PlayerWatch } from './watch-player';

declare global {
  interface HTMLElementTagNameMap {
    'mini-player': MiniPlayer;
  }
}

/** There the page of the sounds shows its player beside the list, unless it is a drawer. */
const WIDE = matchMedia('(min-width: 56rem)');

@customElement('mini-player')
export class MiniPlayer extends LitElement {
  static override styles = css`
    :host {
      position: sticky;
      z-index: 2;
      top: 0;
      display: block;
      height: var(--mini-height, 0);
      overflow: hidden;
      background: var(--surface);
    }
    section {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr) auto;
      gap: 0.5rem;
      align-items: center;
      box-sizing: border-box;
      height: 100%;
      max-width: 64rem;
      margin: 0 auto;
      padding: 0 0.75rem;
      border-bottom: 1px solid var(--line);
    }
    a {
      overflow: hidden;
      color: var(--ink);
      font-weight: 600;
      line-height: 2.75rem;
      text-decoration: none;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    button {
      width: 2.75rem;
      height: 2.75rem;
      padding: 0.6rem;
      border: 0;
      border-radius: 50%;
      background: none;
      color: var(--accent);
      cursor: pointer;
    }
    :is(a, button):focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: -2px;
    }
  `;

  @property({ attribute: false }) player: QueuePlayer | null = null;

  @state() private isElsewhere = false;
  private readonly look = () => {
    this.isElsewhere = routeOf(location.hash).view !== 'sounds' || !WIDE.matches || DRAWER.matches;
  };

  constructor() {
    super();
    new PlayerWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('hashchange', this.look);
    for (const width of [WIDE, DRAWER]) width.addEventListener('change', this.look);
    this.look();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('hashchange', this.look);
    for (const width of [WIDE, DRAWER]) width.removeEventListener('change', this.look);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { player } = this;
    const isShown = this.isElsewhere && player?.file;
    // The views leave room for it.
    document.documentElement.style.setProperty('--mini-height', isShown ? '3.25rem' : '0px');
    if (!isShown || !player.file) return nothing;
    const isOn = ['playing', 'buffering', 'reconnecting'].includes(player.state);
    return html`<section aria-label=${t('nowPlaying')}>
      <button id="mini-toggle" type="button" aria-label=${isOn ? t('pause') : t('play')} @click=${() => { player.toggle(); }}>
        ${isOn ? pauseIcon : playIcon}
      </button>
      <a href=${hashOf({ view: 'sounds' })}>${titleOf(player.file)}</a>
      <button id="mini-stop" type="button" aria-label=${t('stop')} @click=${() => { player.stop(); }}>${stopIcon}</button>
    </section>`;
  }
}
