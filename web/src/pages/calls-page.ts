// Calls and devices: what was called, by whom and with which end; and the devices that have a name.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';
import { repeat } from 'lit/directives/repeat.js';

import type { Call, CallOutcome, QuietHours } from '../calls/call-protocol';
import '../calls/voice-message';
import type { HouseSession } from '../house/house-session';
import type { HouseView } from '../house/house-view';
import { nameOf } from '../house/presence';
import { SessionWatch } from '../ui/watch-session';
import { hashOf } from './routes';
import { spoken } from '../lib/i18n';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { callWords as t } from '../messages/calls';
import { roomWords } from '../messages/room';
import type { Presence, Room } from '../rooms/room-protocol';
import '../rooms/sure-button';
import { fieldStyles } from '../ui/field.styles';
import { partStyles } from '../ui/part.styles';

declare global {
  interface HTMLElementTagNameMap {
    'calls-page': CallsPage;
  }
}

/** A call that is over, as the relay keeps it. */
interface CallRecord {
  id: string;
  from: string;
  to: string[];
  /** Unix seconds. */
  at: number;
  outcome: CallOutcome;
  answered_by: string | null;
  seconds: number;
}

/** A device with a name. */
interface StationInfo {
  id: string;
  name: string;
  presence: Presence;
  /** Unix seconds. */
  seen: number;
  /** The phone on which it rings besides. */
  phone: string | null;
}

/** A phone with Home Assistant's companion app. */
interface Phone {
  id: string;
  name: string;
}

/** That a place is not to be disturbed. */
interface DoNotDisturb {
  passes: 'urgent' | 'nothing';
  /** Unix seconds; null: until it is turned off. */
  until: number | null;
}

/** The place that is the whole house. */
const HOUSE = 'everybody';

const TIMES = [
  { seconds: 3_600, words: 'hour' },
  { seconds: 28_800, words: 'night' },
] as const;

/** Quiet hours as most people want them. */
const NIGHT: QuietHours = { from: '22:00', until: '07:00' };

const PATIENCE_MS = 5_000;

@customElement('calls-page')
export class CallsPage extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      label {
        margin-top: 0.75rem;
      }
      ul {
        display: grid;
        gap: 0.75rem;
        margin: 0.75rem 0 1rem;
        padding: 0;
        list-style: none;
      }
      .switch {
        display: flex;
        gap: 1rem;
        align-items: center;
        justify-content: space-between;
      }
      .switch input {
        flex: none;
        width: 1.5rem;
        height: 1.5rem;
        accent-color: var(--accent);
      }
      fieldset {
        margin: 0.5rem 0 0;
        padding: 0;
        border: 0;
      }
      fieldset label {
        margin-top: 0.25rem;
      }
      .hours {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(7.5rem, 1fr));
        gap: 0.75rem;
      }
      .device {
        display: flex;
        flex-wrap: wrap;
        gap: 0.5rem 1rem;
        align-items: center;
        justify-content: space-between;
      }
      strong {
        overflow-wrap: anywhere;
      }
      small {
        display: block;
        color: var(--quiet);
        font-size: 0.9rem;
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private log: readonly CallRecord[] | null = null;
  @state() private stations: readonly StationInfo[] = [];
  @state() private quiet: Readonly<Record<string, DoNotDisturb | undefined>> = {};
  @state() private hours: Readonly<Record<string, QuietHours | undefined>> = {};
  /** Phones that could ring for this device; null where none could. */
  @state() private phones: readonly Phone[] | null = null;
  /** Why the phone was not changed, in the relay's words. */
  @state() private phoneRefusal = '';
  /** Whether this person may turn what is the same for all. */
  @state() private mayTurnHouse = false;
  @state() private isAway = false;

  constructor() {
    super();
    // Messages come with the session; what is asked for besides follows below.
    new SessionWatch(this);
  }

  private watched: HouseSession | null = null;
  /** What was there when it was looked last: it is looked again when that is different. */
  private known = '';

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.watched?.removeEventListener('change', this.news);
    this.watched = null;
  }

  protected override willUpdate(): void {
    if (this.watched === this.session || !this.isConnected) return;
    this.watched?.removeEventListener('change', this.news);
    this.watched = this.session;
    this.session?.addEventListener('change', this.news);
    this.news();
    if (!this.session) return;
    void askRelay<RelayInfo>(this.session.base, 'api/info').then((info) => {
      this.mayTurnHouse = info?.body.may.includes('admin') ?? false;
      if (this.mayTurnHouse && info?.body.home_assistant) void this.learnPhones();
    });
  }

  protected override render(): TemplateResult {
    const own = this.session?.view.own;
    return html`<main>
      <header>
        <a class="back" href="#/">${roomWords('back')}</a>
        <h1 tabindex="-1">${t('title')}</h1>
      </header>
      ${this.isAway ? html`<p role="alert">${t('unreachable')}</p>` : nothing}
      ${this.session ? this.renderMessages(this.session) : nothing}
      <section>
        <h2>${t('quiet')}</h2>
        <p class="note">${t('quietHint')}</p>
        ${own ? this.renderQuiet(own.room.id, t('thisDevice')) : nothing} ${this.mayTurnHouse ? this.renderQuiet(HOUSE, t('wholeHouse')) : nothing}
      </section>
      ${own ? this.renderOwn(own.room) : nothing}
      <section>
        <h2>${t('devices')}</h2>
        ${this.stations.length
          ? html`<ul>${this.stations.map((station) => this.renderStation(station))}</ul>`
          : html`<p class="note">${this.log ? t('noDevices') : t('loading')}</p>`}
      </section>
      <section>
        <h2>${t('log')}</h2>
        ${this.log?.length
          ? html`<ul>${this.log.map((record) => this.renderRecord(record))}</ul>
              <sure-button id="clear" label=${t('clear')} question=${t('clear')} @sure=${() => void this.forget('api/calls')}></sure-button>`
          : html`<p class="note">${this.log ? t('noCalls') : t('loading')}</p>`}
      </section>
    </main>`;
  }

  /** Messages for this device, its rooms and everybody. */
  private renderMessages({ base, view }: HouseSession): TemplateResult {
    const { messages } = view.messages;
    const playOne = (event: Event) => {
      for (const other of this.renderRoot.querySelectorAll('voice-message')) if (other !== event.target) other.pause();
    };
    return html`<section id="messages" @play=${playOne}>
      <h2>${t('messages')}</h2>
      ${messages.length
        ? html`<ul>
            ${repeat(
              messages,
              ({ id }) => id,
              (message) => html`<li><voice-message .message=${message} .base=${base} place=${this.placeOf(message.to, view)}></voice-message></li>`,
            )}
          </ul>`
        : html`<p class="note">${view.own ? t('noMessages') : t('noName')}</p>`}
    </section>`;
  }

  /** How people call the place for which a message is, unless that is this device alone. */
  private placeOf(to: string, { own, places }: HouseView): string {
    if (to === own?.room.id) return '';
    if (to === HOUSE) return t('everybody');
    const place = places?.find(({ room }) => room.id === to);
    return place ? nameOf(place.room) : to;
  }

  /** This device: how it is called, and whether it answers by itself. */
  private renderOwn({ id, name }: Room): TemplateResult {
    const choose = (event: Event) => {
      this.session?.choose({ answersItself: (event.target as HTMLInputElement).checked });
    };
    return html`<section>
      <h2>${t('thisDevice')}: ${name}</h2>
      <label class="switch">
        <span>${t('answersItself')}</span>
        <input id="answers-itself" type="checkbox" role="switch" aria-describedby="answers-itself-hint" .checked=${this.session?.choices.answersItself ?? false} @change=${choose} />
      </label>
      <p class="note" id="answers-itself-hint">${t('answersItselfHint')}</p>
      ${this.phones ? this.renderPhone(id, this.phones) : nothing}
      <p class="note"><a id="panel-link" href=${hashOf({ view: 'panel' })}>${t('panel')}</a></p>
    </section>`;
  }

  /** The phone on which this device rings besides. */
  private renderPhone(id: string, phones: readonly Phone[]): TemplateResult {
    const chosen = this.stations.find((station) => station.id === id)?.phone ?? '';
    const choose = (event: Event) => void this.setPhone(id, (event.target as HTMLSelectElement).value);
    return html`<label>${t('phone')}
        <select id="phone" aria-describedby="phone-hint" @change=${choose}>
          <option value="" .selected=${live(!chosen)}>${t('noPhone')}</option>
          ${phones.map((phone) => html`<option value=${phone.id} .selected=${live(phone.id === chosen)}>${phone.name}</option>`)}
        </select>
      </label>
      <p class="note" id="phone-hint">${t('phoneHint')}</p>
      <p role="alert" ?hidden=${!this.phoneRefusal}>${this.phoneRefusal}</p>`;
  }

  private async learnPhones(): Promise<void> {
    if (!this.session) return;
    // Without Home Assistant, or without the right to see it, there is nothing to choose.
    const answer = (await ask(this.session.base, 'api/phones').catch(() => null)) as { page: boolean; phones: Phone[] } | null;
    this.phones = answer?.page && answer.phones.length ? answer.phones : null;
  }

  private async setPhone(id: string, phone: string): Promise<void> {
    const { session } = this;
    if (!session) return;
    try {
      const answer = await fetch(new URL(`api/stations/${id}/phone`, session.base), {
        ...(phone ? { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ phone }) } : { method: 'DELETE' }),
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      this.phoneRefusal = answer.ok ? '' : await answer.text();
    } catch {
      this.phoneRefusal = t('unreachable');
    }
    await this.look(session);
  }

  /** Whether a place is not to be disturbed, and for how long. */
  private renderQuiet(place: string, label: string): TemplateResult {
    const set = this.quiet[place];
    const choose = (event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      void this.turnQuiet(place, value);
    };
    const now = set ? (set.until === null ? 'always' : 'timed') : 'off';
    return html`<label>${label}
      <select data-place=${place} @change=${choose}>
        ${now === 'timed' && set ? html`<option value="timed" selected>${t('until', { time: dateOf(set.until ?? 0) })}</option>` : nothing}
        <option value="off" .selected=${live(now === 'off')}>${t('off')}</option>
        ${TIMES.map(({ seconds, words }) => html`<option value=${seconds}>${t(words)}</option>`)}
        <option value="always" .selected=${live(now === 'always')}>${t('always')}</option>
      </select>
    </label>
    ${this.renderHours(place, label)}`;
  }

  /** In which hours of each day that is so by itself. */
  private renderHours(place: string, label: string): TemplateResult {
    const hours = this.hours[place];
    const turn = (event: Event) => void this.setHours(place, (event.target as HTMLInputElement).checked ? NIGHT : null);
    const change = (which: keyof QuietHours) => (event: Event) => {
      const { value } = event.target as HTMLInputElement;
      // Whoever has deleted a time is about to write another.
      if (hours && value) void this.setHours(place, { ...hours, [which]: value });
    };
    const field = (which: keyof QuietHours) => html`<label>${t(which === 'from' ? 'hoursFrom' : 'hoursUntil')}
      <input type="time" required data-hours=${which} .value=${live(hours?.[which] ?? '')} @change=${change(which)} /></label>`;
    return html`<fieldset data-place=${place} aria-label=${`${label}: ${t('everyDay')}`}>
      <label class="switch"><span>${t('everyDay')}</span><input type="checkbox" role="switch" .checked=${live(hours !== undefined)} @change=${turn} /></label>
      ${hours ? html`<div class="hours">${field('from')} ${field('until')}</div>` : nothing}
    </fieldset>`;
  }

  private async setHours(place: string, hours: QuietHours | null): Promise<void> {
    const { session } = this;
    if (!session) return;
    // Shown at once; the relay says in a moment whether it is so.
    this.hours = { ...this.hours, [place]: hours ?? undefined };
    if (place === session.view.own?.room.id) {
      session.calls.station?.setQuietHours(hours);
      return;
    }
    await fetch(new URL(`api/quiet-hours/${place}`, session.base), {
      ...(hours ? { method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(hours) } : { method: 'DELETE' }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => undefined);
    await this.look(session);
  }

  private async turnQuiet(place: string, value: string): Promise<void> {
    const { session } = this;
    if (!session || value === 'timed') return;
    const seconds = value === 'off' || value === 'always' ? undefined : Number(value);
    if (place === session.view.own?.room.id) {
      session.calls.station?.setDoNotDisturb(value !== 'off', seconds);
      return;
    }
    await fetch(new URL(`api/do-not-disturb/${place}`, session.base), {
      method: value === 'off' ? 'DELETE' : 'PUT',
      ...(value === 'off' ? {} : { headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(seconds === undefined ? {} : { seconds }) }),
      signal: AbortSignal.timeout(PATIENCE_MS),
    }).catch(() => undefined);
    await this.look(session);
  }

  private renderStation({ id, name, presence, seen }: StationInfo): TemplateResult {
    const remove = () => void this.forget(`api/stations/${id}`);
    return html`<li class="device" data-station=${id}>
      <span><strong>${name}</strong><small>${presence === 'here' ? t('here') : presence === 'phone' ? t('onPhone') : t('seen', { time: dateOf(seen) })}</small></span>
      ${presence === 'here' ? nothing : html`<sure-button label=${t('removeNow')} question=${t('remove', { name })} @sure=${remove}></sure-button>`}
    </li>`;
  }

  private renderRecord({ from, to, at, outcome, answered_by: by, seconds }: CallRecord): TemplateResult {
    return html`<li>
      <strong>${t('from', { from, to: to.join(', ') })}</strong>
      <small>${dateOf(at)} · ${t(`outcome_${outcome}`, { by: by ?? '', seconds })}</small>
    </li>`;
  }

  private readonly news = (): void => {
    const { session } = this;
    if (!session) return;
    const { stations, calls, connected, own, places } = session.view;
    const quiet = [own, ...(places ?? [])].map((place) => place?.room.doNotDisturb);
    const callOf = (call: Call | undefined) => call?.id ?? '';
    const now = JSON.stringify([connected, quiet, calls.quietHours, stations.map(({ room }) => [room.name, room.station]), callOf(calls.current?.call), callOf(calls.missed[0])]);
    if (now === this.known) return;
    this.known = now;
    void this.look(session);
  };

  private async look(session: HouseSession): Promise<void> {
    try {
      const paths = ['api/stations', 'api/calls', 'api/do-not-disturb', 'api/quiet-hours'];
      const [stations, calls, quiet, hours] = await Promise.all(paths.map((path) => ask(session.base, path)));
      this.hours = (hours as { places: Record<string, QuietHours> }).places;
      this.quiet = (quiet as { places: Record<string, DoNotDisturb> }).places;
      this.stations = (stations as { stations: StationInfo[] }).stations;
      this.log = (calls as { log: CallRecord[] }).log;
      this.isAway = false;
    } catch {
      this.isAway = true;
    }
  }

  private async forget(path: string): Promise<void> {
    const { session } = this;
    if (!session) return;
    await fetch(new URL(path, session.base), { method: 'DELETE', signal: AbortSignal.timeout(PATIENCE_MS) }).catch(() => undefined);
    await this.look(session);
  }
}

async function ask(base: URL, path: string): Promise<unknown> {
  const answer = await fetch(new URL(path, base), { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

function dateOf(at: number): string {
  return new Date(at * 1_000).toLocaleString(spoken(), { dateStyle: 'short', timeStyle: 'short' });
}
