// Who is in the room: talking, loudness, connection, and what a host may do with each.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import '../ui/level-meter';
import { roomWords as t } from '../messages/room';
import { SessionWatch } from '../ui/watch-session';
import { roomPeopleStyles } from './room-people.styles';
import type { HostAction } from './room-protocol';
import type { RoomSession } from './room-session';
import type { PersonView, RoomView } from './room-view';
import './sure-button';

@customElement('room-people')
export class RoomPeople extends LitElement {
  static override styles = roomPeopleStyles;

  @property({ attribute: false }) session: RoomSession | null = null;

  /** Whose menu is open. */
  @state() private open: string | null = null;

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    const { view } = this.session;
    return html`
      <h2>${t('people')}</h2>
      <ul>
        ${repeat(
          view.people,
          ({ id }) => id,
          (person) => this.renderPerson(person, view),
        )}
      </ul>
      ${view.people.length === 1 && !view.listenerCount ? html`<p class="quiet" id="alone">${t('alone')}</p>` : nothing}
      ${view.guesses ? html`<p class="quiet" role="status" id="guesses">${t('guesses', { count: String(view.guesses) })}</p>` : nothing}
      ${view.listenerCount ? this.renderListeners(view) : nothing}
    `;
  }

  /** Those who hear without having joined: a host can send them out as well. */
  private renderListeners({ listeners, listenerCount, mayHost }: RoomView): TemplateResult {
    const more = listenerCount - listeners.length;
    return html`
      <h2 class="further">${t('listeners', { count: String(listenerCount) })}</h2>
      <ul id="listeners">
        ${repeat(
          listeners,
          ({ id }) => id,
          ({ id, name, kind }) => html`<li class="listener" data-listener=${id}>
            <div class="words"><span class="name">${name}</span><span class="marks">${t(`listens_${kind}`)}</span></div>
            ${mayHost
              ? html`<sure-button data-action="kick" label=${t('kick')} question=${t('kickSure', { name })}
                  @sure=${() => this.session?.host('kick', id)}></sure-button>`
              : nothing}
          </li>`,
        )}
      </ul>
      ${more > 0 ? html`<p class="quiet">${t('listenersMore', { count: String(more) })}</p>` : nothing}
    `;
  }

  private renderPerson(person: PersonView, view: RoomView): TemplateResult {
    const { name, you } = person;
    return html`
      <li data-person=${person.id} data-talking=${person.talking ? 'on' : 'off'} class=${person.talking ? 'talking' : ''}>
        <span class="face" aria-hidden="true">${initialOf(name)}${person.user ? this.renderPicture(person.user) : nothing}</span>
        <div class="words">
          <span class="name">${name}</span>
          <span class="marks">${marksOf(person, view).join(' · ')}</span>
        </div>
        ${renderQuality(person)}
        <level-meter .level=${person.level} aria-label=${t('levelOf', { name })}></level-meter>
        ${!you || view.mayHost ? this.renderMenu(person, view) : nothing}
      </li>
    `;
  }

  /** How they look, over their initial, which is seen where Home Assistant has no picture. */
  private renderPicture(user: string): TemplateResult {
    const hide = ({ target }: Event) => {
      (target as HTMLElement).hidden = true;
    };
    return html`<img src=${new URL(`api/people/${user}/picture`, this.session?.base).href} alt="" @error=${hide} />`;
  }

  private renderVolume({ name, volume }: PersonView): TemplateResult {
    const turn = (event: Event) => {
      this.session?.setVolume(name, (event.target as HTMLInputElement).valueAsNumber);
    };
    return html`<label>
      ${t('volumeOf', { name })}
      <input type="range" min="0" max="1" step="0.05" .value=${String(volume)} @input=${turn} />
    </label>`;
  }

  private renderMenu(person: PersonView, view: RoomView): TemplateResult {
    const { id, name, you } = person;
    const isOpen = this.open === id;
    const toggle = () => {
      this.open = isOpen ? null : id;
    };
    return html`
      <button type="button" class="menu" aria-label=${t('menuOf', { name })} aria-expanded=${isOpen} @click=${toggle}>⋯</button>
      ${isOpen
        ? html`<div class="opened">
            ${you ? nothing : this.renderVolume(person)} ${view.mayHost ? this.renderActions(person, view) : nothing}
          </div>`
        : nothing}
    `;
  }

  private renderActions({ id, name, muted, you, word, host, pinned, joined }: PersonView, { room }: RoomView): TemplateResult {
    const isBroadcast = room?.kind === 'broadcast';
    const isGuest = joined !== false;
    return html`<div class="actions">
      ${you ? nothing : this.renderAction(id, muted ? 'unmute' : 'mute', muted ? t('unmute') : t('mute'))}
      ${isBroadcast && !host && isGuest ? this.renderAction(id, word ? 'take_word' : 'give_word', word ? t('takeWord') : t('giveWord')) : nothing}
      ${isGuest ? this.renderAction(pinned ? null : id, 'pin', pinned ? t('unpin') : t('pin')) : nothing}
      ${host || room?.permanent || !isGuest ? nothing : this.renderAction(id, 'hand_over', t('handOver'))}
      ${you
        ? nothing
        : html`<sure-button data-action="kick" label=${t('kick')} question=${t('kickSure', { name })}
            @sure=${() => this.session?.host('kick', id)}></sure-button>`}
    </div>`;
  }

  private renderAction(who: string | null, action: HostAction, words: string): TemplateResult {
    return html`<button type="button" data-action=${action} @click=${() => this.session?.host(action, who)}>${words}</button>`;
  }
}

function renderQuality({ quality }: PersonView): TemplateResult {
  if (!quality) return html`<span></span>`;
  return html`<span class="quality ${quality}" role="img" aria-label=${t(`quality_${quality}`)} title=${t(`quality_${quality}`)}>
    <i></i><i></i><i></i>
  </span>`;
}

/** What there is to say of somebody besides the name, the most important first. */
function marksOf({ you, host, muted, word, talking, music, pinned, joined, hears }: PersonView, { room }: RoomView): string[] {
  return [
    ...(you ? [t('you')] : []),
    ...(host ? [t('host')] : []),
    ...(joined === false ? [t('unjoined')] : []),
    ...(joined !== false && hears === false && !you ? [t('notListening')] : []),
    ...(muted ? [t('muted')] : []),
    ...(talking ? [t('isTalking')] : []),
    ...(music ? [t('sharesMusic')] : []),
    ...(pinned ? [t('pinned')] : []),
    ...(room?.kind === 'broadcast' && word && !host ? [t('hasWord')] : []),
  ];
}

function initialOf(name: string): string {
  return Array.from(name.trim())[0]?.toUpperCase() ?? '?';
}
