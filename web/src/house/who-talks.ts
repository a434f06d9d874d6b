// Whoever is heard now, large, with level and volume.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { houseWords as t } from '../messages/house';
import '../ui/level-meter';
import type { HouseSession } from './house-session';
import type { Heard, HouseView } from './house-view';
import { hearersOf, nameOf } from './presence';

declare global {
  interface HTMLElementTagNameMap {
    'who-talks': WhoTalks;
  }
}

@customElement('who-talks')
export class WhoTalks extends LitElement {
  static override styles = css`
    /* As high as with somebody who talks. */
    :host {
      display: grid;
      gap: 0.75rem;
      align-content: start;
      min-height: 9.6rem;
    }
    h2,
    p,
    ul {
      margin: 0;
      padding: 0;
      list-style: none;
    }
    h2 {
      font-size: 1rem;
    }
    .quiet {
      color: var(--quiet);
    }
    li {
      display: grid;
      grid-template-columns: auto minmax(0, 1fr);
      gap: 0.4rem 0.9rem;
      align-items: center;
    }
    li + li {
      margin-top: 0.9rem;
    }
    .face {
      display: grid;
      place-items: center;
      width: 3.5rem;
      height: 3.5rem;
      border: 3px solid var(--level);
      border-radius: 50%;
      font-size: 1.5rem;
      font-weight: 650;
    }
    .name {
      font-size: 1.35rem;
      font-weight: 650;
      overflow-wrap: anywhere;
    }
    .room {
      color: var(--quiet);
    }
    level-meter,
    input {
      grid-column: 1 / -1;
    }
    input {
      width: 100%;
      min-height: 2.75rem;
      margin: 0;
      accent-color: var(--accent);
    }
    input:focus-visible {
      outline: 3px solid var(--accent);
    }
  `;

  @property({ attribute: false }) session: HouseSession | null = null;
  @property({ attribute: false }) view: HouseView | null = null;

  protected override render(): TemplateResult | typeof nothing {
    const { view } = this;
    if (!view) return nothing;
    const talkers = [...ourselves(view), ...view.heard];
    return html`
      <h2>${t('whoTalks')}</h2>
      ${talkers.length
        ? html`<ul id="heard">${repeat(talkers, ({ room, person }) => `${room.id}/${person.id}`, (heard) => this.renderHeard(heard))}</ul>`
        : html`<p class="quiet" id="heard">${t('quiet')}${isAlone(view) ? html`<br />${t('emptyHouse')}` : nothing}</p>`}
    `;
  }

  private renderHeard({ room, person }: Heard): TemplateResult {
    const { name, level, volume, you } = person;
    const turn = (event: Event) => {
      this.session?.sessionOf(room.id)?.setVolume(name, (event.target as HTMLInputElement).valueAsNumber);
    };
    return html`<li data-person=${person.id}>
      <span class="face" aria-hidden="true">${Array.from(name)[0]?.toUpperCase() ?? '?'}</span>
      <span><span class="name">${name}${you ? ` (${t('you')})` : nothing}</span><br /><span class="room">${room.station ? nothing : nameOf(room)}</span></span>
      <level-meter .level=${level} aria-label=${t('levelOf', { name })}></level-meter>
      ${you
        ? nothing
        : html`<input type="range" min="0" max="1" step="0.05" aria-label=${t('volumeOf', { name })} .value=${String(volume)} @input=${turn} />`}
    </li>`;
  }
}

/** We, while others are told that we talk. */
function ourselves({ places }: HouseView): Heard[] {
  return (places ?? []).flatMap(({ room, inside }) => (inside?.people ?? []).filter(({ you, talking }) => you && talking).map((person) => ({ room, person })));
}

/** Whether nobody else is anywhere in the house. */
function isAlone({ places }: HouseView): boolean {
  return places !== null && places.every((place) => hearersOf(place) === 0 && place.room.participants <= (place.inside ? 1 : 0));
}
