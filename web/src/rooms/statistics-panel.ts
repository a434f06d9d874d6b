// How the room does, in numbers: the last ten minutes as charts, and every connection in a row.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { spoken } from '../lib/i18n';
import '../ui/live-chart';
import { roomWords as t } from '../messages/room';
import { SessionWatch } from '../ui/watch-session';
import { fieldStyles } from '../ui/field.styles';
import type { GuestStats, RoomMoment } from './room-protocol';
import type { RoomSession } from './room-session';
import type { RoomView } from './room-view';

/** Points of a chart: ten minutes. */
const POINTS = 60;

/** What is charted: its unit, and what the chart shows at the least, so that small numbers look small. */
const MEASURES = [
  { key: 'bitrate', unit: 'kbit/s', scale: 1 / 1_000, top: 64 },
  { key: 'latency', unit: 'ms', scale: 1, top: 200 },
  { key: 'loss', unit: '%', scale: 100, top: 5 },
  { key: 'jitter', unit: 'ms', scale: 1, top: 20 },
] as const;

@customElement('statistics-panel')
export class StatisticsPanel extends LitElement {
  static override styles = [
    fieldStyles,
    css`
      :host {
        display: block;
      }
      table {
        width: 100%;
        margin: 0.25rem 0 0.75rem;
        border-collapse: collapse;
      }
      th,
      td {
        padding: 0.45rem 0.75rem 0.45rem 0;
        border-top: 1px solid var(--line);
        text-align: left;
        font-weight: 400;
        vertical-align: middle;
      }
      thead th {
        border-top: 0;
        color: var(--quiet);
        font-size: 0.85rem;
      }
      td {
        font-variant-numeric: tabular-nums;
        white-space: nowrap;
      }
      #charts td:last-child {
        width: 45%;
        padding-right: 0;
      }
      .wide {
        overflow-x: auto;
      }
      .wide:focus-visible {
        outline: 3px solid var(--accent);
      }
      h3 {
        margin: 0.5rem 0 0;
        font-size: 1rem;
      }
      p {
        margin: 0 0 0.75rem;
        color: var(--quiet);
      }
    `,
  ];

  @property({ attribute: false }) session: RoomSession | null = null;

  /** Charts are drawn only while somebody looks. */
  @state() private isOpen = false;

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    return html`<details @toggle=${this.toggled}>
      <summary>${t('statistics')}</summary>
      ${this.isOpen ? renderOpen(this.session.view) : nothing}
    </details>`;
  }

  private readonly toggled = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
  };
}

function renderOpen({ stats, spread, mayHost }: RoomView): TemplateResult {
  if (!stats) return html`<p>${t('statisticsNone')}</p>`;
  const moments = [...stats.history, stats].slice(-POINTS);
  return html`
    <table id="charts">
      <thead>
        <tr><th scope="col">${t('measure')}</th><th scope="col">${t('value')}</th><th scope="col">${t('course')}</th></tr>
      </thead>
      <tbody>${MEASURES.map((measure) => renderMeasure(measure, stats, moments))}</tbody>
    </table>
    ${mayHost && spread !== null ? html`<p id="spread">${t('spread', { time: number(spread, 'ms') })}</p>` : nothing}
    ${stats.guests.length ? renderGuests(stats.guests) : nothing}
    <p>${t('duration', { time: lengthOf(stats.duration) })}</p>
  `;
}

function renderMeasure({ key, unit, scale, top }: (typeof MEASURES)[number], stats: RoomMoment, moments: readonly RoomMoment[]): TemplateResult {
  const scaled = (moment: RoomMoment) => {
    const value = moment[key];
    return value === null ? null : value * scale;
  };
  const [measure, now] = [t(key), number(scaled(stats), unit)];
  return html`<tr data-measure=${key}>
    <th scope="row">${measure}</th>
    <td>${now}</td>
    <td><live-chart .values=${moments.map(scaled)} top=${top} label=${t('chart', { measure, now })}></live-chart></td>
  </tr>`;
}

function renderGuests(guests: readonly GuestStats[]): TemplateResult {
  return html`
    <h3 id="guests-title">${t('guests')}</h3>
    <div class="wide" role="group" tabindex="0" aria-labelledby="guests-title">
      <table id="guests">
        <thead>
          <tr>
            <th scope="col">${t('guest')}</th>
            ${[t('roundTrip'), t('loss'), t('jitter'), t('latency')].map((title) => html`<th scope="col">${title}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${guests.map(
            ({ id, name, rtt, loss, jitter, delay }) => html`<tr data-guest=${id}>
              <th scope="row">${name}</th>
              <td>${number(rtt, 'ms')}</td>
              <td>${number(loss === null ? null : loss * 100, '%')}</td>
              <td>${number(jitter, 'ms')}</td>
              <td>${number(delay, 'ms')}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}

/** A number with its unit; a dash for what is not known. */
function number(value: number | null, unit: string): string {
  if (value === null) return '–';
  return `${value.toLocaleString(spoken(), { maximumFractionDigits: value < 10 ? 1 : 0 })} ${unit}`;
}

/** Hours, minutes and seconds. */
function lengthOf(seconds: number): string {
  const parts = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60, Math.floor(seconds) % 60];
  return parts.map((part) => String(part).padStart(2, '0')).join(':');
}
