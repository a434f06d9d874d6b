// The list of who talks, with levels and volumes.

import { html, nothing, type TemplateResult } from 'lit';

import { t } from '../messages/card';
import type { PersonView } from '../rooms/room-view';
import type { CardView } from './place';

/** Everybody who talks; `setVolume` is called with a person's name. */
export function renderStreams(view: CardView, setVolume: (name: string, volume: number) => void): TemplateResult {
  if (!view.talking.length) return html`<p class="note" id="streams">${t('nobody')}</p>`;
  return html`<ul id="streams">
    ${view.talking.map((person) => renderPerson(person, view, setVolume))}
  </ul>`;
}

function renderPerson({ id, you, name: called, level, volume }: PersonView, view: CardView, setVolume: (name: string, volume: number) => void): TemplateResult {
  const state = you || !view.listening ? 'off' : view.blocked ? 'blocked' : 'playing';
  const name = you ? t('you') : called;
  const change = (event: Event) => {
    setVolume(called, (event.target as HTMLInputElement).valueAsNumber);
  };
  const words = you ? heardBy(view.hearers) : { off: '', playing: t('heard'), blocked: t('blocked') }[state];
  return html`<li data-stream=${id} data-state=${state}>
    <span class="name">${name}</span>
    <span class="note">${words}</span>
    ${state === 'off'
      ? nothing
      : html`<level-meter .level=${level} aria-label=${t('levelOf', { name })}></level-meter>
          <input
            type="range"
            min="0"
            max="1"
            step="0.05"
            aria-label=${t('volumeOf', { name })}
            .value=${String(volume)}
            @input=${change}
          />`}
  </li>`;
}

function heardBy(count: number): string {
  return count > 0 ? t('listeners', { count }) : t('noListeners');
}
