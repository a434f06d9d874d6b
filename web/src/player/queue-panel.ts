// What waits to be played, and in which order.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { buttonStyles } from '../ui/button.styles';
import { soundsWords as t } from '../messages/sounds';
import { fieldStyles } from '../ui/field.styles';
import type { QueuePlayer } from './queue-player';
import { titleOf } from './library';
import type { Repeat } from './play-queue';
import { PlayerWatch } from './watch-player';

const REPEATS = { none: 'repeatNone', one: 'repeatOne', all: 'repeatAll' } as const;

@customElement('queue-panel')
export class QueuePanel extends LitElement {
  static override styles = [
    buttonStyles,
    fieldStyles,
    css`
      :host {
        display: block;
      }
      .order {
        display: grid;
        grid-template-columns: 1fr 1fr;
        gap: 0.75rem;
        align-items: end;
      }
      [type='checkbox'] {
        width: 1.4rem;
        height: 1.4rem;
        min-height: 0;
        margin: 0;
        accent-color: var(--accent);
      }
      .check {
        gap: 0.75rem;
        grid-template-columns: auto 1fr;
        align-items: center;
        min-height: 2.75rem;
      }
      ol {
        display: grid;
        gap: 0.5rem;
        max-height: 20rem;
        margin: 0.75rem 0;
        padding: 0.25rem;
        overflow-y: auto;
        list-style: none;
      }
      li {
        display: flex;
        align-items: center;
        justify-content: space-between;
        gap: 0.75rem;
        overflow-wrap: anywhere;
      }
      .order-buttons {
        display: flex;
        flex: none;
        gap: 0.4rem;
      }
      .order-buttons button {
        width: 2.75rem;
        padding: 0;
      }
      p {
        color: var(--quiet);
      }
    `,
  ];

  @property({ attribute: false }) player: QueuePlayer | null = null;

  constructor() {
    super();
    new PlayerWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { player } = this;
    if (!player) return nothing;
    const { coming } = player.queue;
    return html`<details>
      <summary>${coming.length ? t('queueCount', { count: coming.length }) : t('queue')}</summary>
      ${this.renderOrder(player)}
      ${coming.length ? nothing : html`<p>${t('queueEmpty')}</p>`}
      <ol id="coming">
        ${coming.map((file, index) => {
          const title = titleOf(file);
          const change = (act: () => void) => () => {
            act();
            this.requestUpdate();
          };
          const move = (by: -1 | 1) => change(() => { player.queue.move(index, by); });
          return html`<li>
            <span>${title}</span>
            <span class="order-buttons">
              <button type="button" data-move="up" aria-label=${t('earlier', { title })} ?disabled=${index === 0} @click=${move(-1)}>↑</button>
              <button type="button" data-move="down" aria-label=${t('later', { title })} ?disabled=${index === coming.length - 1} @click=${move(1)}>↓</button>
              <button type="button" data-move="out" aria-label=${t('removeThis', { title })} @click=${change(() => { player.queue.remove(index); })}>×</button>
            </span>
          </li>`;
        })}
      </ol>
    </details>`;
  }

  private renderOrder({ queue }: QueuePlayer): TemplateResult {
    const repeat = (event: Event) => {
      queue.repeat = (event.target as HTMLSelectElement).value as Repeat;
    };
    const shuffle = (event: Event) => {
      queue.shuffle = (event.target as HTMLInputElement).checked;
    };
    return html`<div class="order">
      <label class="check"><input id="shuffle" type="checkbox" .checked=${queue.shuffle} @change=${shuffle} /> ${t('shuffle')}</label>
      <label>
        ${t('repeat')}
        <select id="repeat" @change=${repeat}>
          ${Object.entries(REPEATS).map(([value, word]) => html`<option value=${value} ?selected=${value === queue.repeat}>${t(word)}</option>`)}
        </select>
      </label>
    </div>`;
  }
}
