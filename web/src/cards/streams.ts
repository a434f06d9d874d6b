// The list of who talks, with levels and volumes.

import { html, nothing, type TemplateResult } from 'lit';

import { t } from '../messages/card';
import type { StreamView } from '../session/session';

/** How a stream's speaker is called here. */
export function nameOf(stream: StreamView, index: number): string {
  return stream.own ? t('you') : stream.name || t('speaker', { number: index + 1 });
}

/** All streams; `setVolume` is called with a stream's id. */
export function renderStreams(streams: readonly StreamView[], setVolume: (id: string, volume: number) => void): TemplateResult {
  if (!streams.length) return html`<p class="note" id="streams">${t('nobody')}</p>`;
  return html`<ul id="streams">
    ${streams.map((stream, index) => renderStream(stream, nameOf(stream, index), setVolume))}
  </ul>`;
}

function renderStream(stream: StreamView, name: string, setVolume: (id: string, volume: number) => void): TemplateResult {
  const change = (event: Event) => {
    setVolume(stream.id, (event.target as HTMLInputElement).valueAsNumber);
  };
  return html`<li data-stream=${stream.id} data-state=${stream.state}>
    <span class="name">${name}</span>
    <span class="note">${inWords(stream)}</span>
    ${stream.own || stream.state === 'off'
      ? nothing
      : html`<level-meter .level=${stream.level} aria-label=${t('levelOf', { name })}></level-meter>
          <input
            type="range"
            min="0"
            max="1"
            step="0.05"
            aria-label=${t('volumeOf', { name })}
            .value=${String(stream.volume)}
            @input=${change}
          />`}
  </li>`;
}

function inWords({ own, state, listeners }: StreamView): string {
  if (own) return listeners === null ? '' : listeners > 0 ? t('listeners', { count: listeners }) : t('noListeners');
  return { off: '', connecting: t('connecting'), playing: t('heard'), blocked: t('blocked') }[state];
}
