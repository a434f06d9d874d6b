// The page of the house: its rooms as tiles, who talks, and the buttons. A view of the session, and nothing that the session
// does not know.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, state } from 'lit/decorators.js';

import { askRelay, type RelayInfo } from '../lib/relay-info';
import { houseWords as t } from '../messages/house';
import { obstacleWords } from '../messages/obstacles';
import { problemInWords } from '../messages/problems';
import { hashOf } from '../pages/routes';
import { whyNotTalk } from '../rooms/room-words';
import { microphoneObstacle } from '../session/microphone';
import type { Problem } from '../session/problem';
import { announceIcon, gearIcon, loudspeakerIcon, microphoneIcon, mutedIcon, noteIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import '../ui/problem-help';
import '../ui/silent-microphone';
import '../ui/talk-button';
import { isOpenToAll } from './announcing';
import { housePageStyles } from './house-page.styles';
import { HOME, type HouseSession } from './house-session';
import type { HouseView, PlaceView } from './house-view';
import { describeHouse, talkTarget } from './house-words';
import './last-words';
import { nameOf, peopleIn } from './presence';
import './secure-note';
import { tilesOf, visitedIn } from './tiles';
import './welcome-form';
import './who-talks';

declare global {
  interface HTMLElementTagNameMap {
    'house-page': HousePage;
  }
}

/** Without the relay for so long, the page says that it is out of reach; until then that it connects. */
const AWAY_MS = 1_500;

@customElement('house-page')
export class HousePage extends LitElement {
  static override styles = housePageStyles;

  @state() private view: HouseView | null = null;
  @state() private isAway = false;
  /** What this person may do; null until the relay has told. */
  @state() private may: RelayInfo['may'] | null = null;
  @state() private hasHomeAssistant = false;
  @state() private suggested = '';
  /** The sheet that is open over the page. */
  @state() private sheet: 'announce' | 'room' | null = null;
  @state() private isChatOpen = false;
  /** How often somebody has finished talking. */
  @state() private spokenRounds = 0;
  private session: HouseSession | null = null;
  private patience: ReturnType<typeof setTimeout> | undefined;
  private wereTalking = false;
  private readonly obstacle = obstacleHere();

  /** Shows this session from now on. */
  attach(session: HouseSession): void {
    this.session = session;
    const show = () => {
      this.view = session.view;
      this.reflect(session.view);
      this.noteAway(session.view.connected);
      this.noteWords(session.view);
    };
    session.addEventListener('change', show);
    show();
    void askRelay<RelayInfo>(session.base, 'api/info').then((info) => {
      this.may = info?.body.may ?? null;
      this.hasHomeAssistant = info?.body.home_assistant ?? false;
      this.suggested = info?.body.name ?? '';
    });
  }

  /** The state as attributes, for styles and tests. */
  private reflect(view: HouseView): void {
    this.dataset['connection'] = view.connected ? 'up' : 'down';
    this.dataset['talk'] = view.talk;
    this.dataset['mic'] = view.microphone;
    this.dataset['listen'] = view.selected?.listening ? 'on' : 'off';
    this.dataset['joined'] = view.joined ? 'yes' : 'no';
  }

  private noteAway(connected: boolean): void {
    if (connected) {
      clearTimeout(this.patience);
      this.patience = undefined;
      this.isAway = false;
      return;
    }
    this.patience ??= setTimeout(() => {
      this.isAway = true;
    }, AWAY_MS);
  }

  /** When nobody talks any more, there is something new to hear again. */
  private noteWords({ places }: HouseView): void {
    const talk = places?.some((place) => peopleIn(place).some(({ talking }) => talking)) ?? false;
    if (this.wereTalking && !talk) this.spokenRounds++;
    this.wereTalking = talk;
  }

  protected override render(): TemplateResult {
    const { view, session } = this;
    if (!view || !session) return html``;
    this.dataset['away'] = this.isAway ? 'yes' : 'no';
    return html`
      <header>
        <h1>${t('title')}</h1>
        <span class="connection ${view.connected && !view.blockage ? 'up' : ''}">${this.connectionInWords(view)}</span>
        ${this.renderMenu()}
      </header>
      ${this.renderDock(view, session)}
      <main>
        <div class="places">
          ${this.renderNotes(view, session)}
          ${this.renderTiles(view, session)}
        </div>
        <div class="heard" ?hidden=${!view.places}>
          <section><who-talks .session=${session} .view=${view}></who-talks></section>
          ${view.selected ? this.renderSelected(view.selected, session) : nothing}
          <last-words .base=${session.base} .round=${this.spokenRounds}></last-words>
        </div>
      </main>
      ${this.renderSheet(view, session)}
    `;
  }

  private connectionInWords(view: HouseView): string {
    if (view.blockage) return obstacleWords('noSound');
    if (view.connected) return t('connected');
    return this.isAway ? t('away') : t('connecting');
  }

  private renderMenu(): TemplateResult {
    return html`<details class="menu" @focusout=${this.menuLeft}>
      <summary id="menu" aria-label=${t('menu')} title=${t('menu')}>${gearIcon}</summary>
      <nav aria-label=${t('menu')} @click=${this.closeMenu}>
        <a id="settings-link" href=${hashOf({ view: 'settings' })}>${t('settings')}</a>
        <a id="status-link" href=${hashOf({ view: 'status' })}>${t('status')}</a>
        <a id="calls-link" href=${hashOf({ view: 'calls' })}>${t('calls')}</a>
        ${this.hasHomeAssistant ? html`<a id="homeassistant-link" href=${hashOf({ view: 'homeassistant' })}>Home Assistant</a>` : nothing}
        ${this.may?.includes('share') ? html`<a id="share-link" href=${hashOf({ view: 'share' })}>${t('share')}</a>` : nothing}
      </nav>
    </details>`;
  }

  private readonly menuLeft = ({ currentTarget, relatedTarget }: FocusEvent) => {
    if (relatedTarget && !(currentTarget as HTMLElement).contains(relatedTarget as Node)) this.closeMenu();
  };

  private readonly closeMenu = () => {
    this.renderRoot.querySelector('details')?.removeAttribute('open');
  };

  private renderDock(view: HouseView, session: HouseSession): TemplateResult {
    const [first, ...others] = describeHouse(view, this.isAway);
    return html`<section class="dock" aria-label=${t('talkAndListen')}>
      ${view.joined
        ? html`
            <p id="state" role="status"><strong>${first}</strong> ${others.join(' ')}</p>
            <level-meter .track=${session.microphoneTrack} aria-label=${t('level')}></level-meter>
            ${this.renderButtons(view, session)}
          `
        : html`<welcome-form .session=${session} suggested=${this.suggested} ?away=${!view.connected}></welcome-form>`}
    </section>`;
  }

  private renderButtons(view: HouseView, session: HouseSession): TemplateResult {
    const { selected } = view;
    const listening = selected?.listening ?? false;
    const reason = (this.obstacle && problemInWords(this.obstacle)) ?? (selected?.inside ? whyNotTalk(selected.inside) : null);
    const toggle = () => {
      if (selected) session.listenTo(selected.room.id, !listening);
    };
    return html`
      <div class="buttons">
        <button id="listen" type="button" aria-pressed=${listening} ?disabled=${!selected || this.isAway} @click=${toggle}>
          ${listening ? loudspeakerIcon : silentIcon}<span>${t('listen')}</span>
        </button>
        <talk-button space-bar .session=${session} .target=${talkTarget(view)}
          .disabledReason=${reason ?? (this.isAway && view.talk === 'idle' ? t('awayHint') : null)}></talk-button>
        <button id="mute" type="button" aria-pressed=${view.muted} ?disabled=${view.microphone !== 'live'}
          @click=${() => { session.setMuted(!view.muted); }}>
          ${view.muted ? mutedIcon : microphoneIcon}<span>${t('mute')}</span>
        </button>
      </div>
      <div class="more">
        <button id="announce" type="button" ?disabled=${this.isAway || !view.places?.length} @click=${() => { this.open('announce'); }}>
          ${announceIcon} ${t('announce')}
        </button>
        <a class="button" id="sounds-link" href=${hashOf({ view: 'sounds' })}>${noteIcon} ${t('sounds')}</a>
      </div>
    `;
  }

  private renderNotes(view: HouseView, session: HouseSession): TemplateResult {
    const { problem } = view;
    return html`
      ${this.obstacle?.code === 'insecure'
        ? html`<secure-note .base=${session.base}></secure-note>`
        : html`<problem-help .problem=${this.obstacle ?? (problem?.code === 'refused' ? null : problem)} ?heard=${view.talk === 'live'}
            .base=${session.base}></problem-help>`}
      ${view.own?.room.doNotDisturb
        ? html`<section class="unblock" role="status">${t('doNotDisturbHere')} <button id="disturb" type="button" @click=${() => { session.calls.station?.setDoNotDisturb(false); }}>${t('turnOff')}</button></section>`
        : nothing}
      <silent-microphone .session=${session} ?silent=${view.silent}></silent-microphone>
      ${view.blocked ? this.renderUnblock(view, session) : nothing}
    `;
  }

  private renderUnblock(view: HouseView, session: HouseSession): TemplateResult {
    const talking = view.places?.flatMap(peopleIn).find(({ talking, you }) => talking && !you);
    return html`<section class="unblock" role="alert">
      ${talking ? t('soundOff', { name: talking.name }) : t('blocked')}
      <button id="unblock" type="button" @click=${() => { session.unblock(); }}>${t('unblock')}</button>
    </section>`;
  }

  private renderTiles(view: HouseView, session: HouseSession): TemplateResult | typeof nothing {
    const { places, stations } = view;
    if (!places) return nothing;
    const [here, away] = [stations.filter(({ room }) => room.station !== 'away'), stations.filter(({ room }) => room.station === 'away')];
    const tiles = (all: readonly PlaceView[]) => tilesOf(all, session, { isAway: this.isAway, mayTalk: !this.obstacle });
    return html`<section class="tiles" aria-label=${t('places')}>
      ${tiles([...visitedIn(view), ...places])}
      ${this.may?.includes('talk') !== false
        ? // Its place is kept until the relay has told whether it is for this person.
          html`<button id="new-room" class=${this.may ? '' : 'pending'} type="button" ?disabled=${this.isAway} @click=${() => { this.open('room'); }}>+ ${t('newRoom')}</button>`
        : nothing}
      </section>
      ${here.length ? html`<h2>${t('devices')}</h2><section class="tiles" aria-label=${t('devices')}>${tiles(here)}</section>` : nothing}
      ${away.length
        ? html`<details class="away"><summary>${t('notHere', { count: away.length })}</summary><section class="tiles" aria-label=${t('notHere', { count: away.length })}>${tiles(away)}</section></details>`
        : nothing}`;
  }

  /** What there is besides of the room, or device, that is selected. */
  private renderSelected({ room, inside }: PlaceView, session: HouseSession): TemplateResult | typeof nothing {
    if (room.station) return nothing;
    const name = nameOf(room);
    const unread = inside?.unread ?? 0;
    return html`
      <div class="ways">
        <button class="way" id="ring" type="button" ?disabled=${this.isAway} @click=${() => { session.calls.ring([room.id === HOME ? 'everybody' : room.id]); }}>${t('ring', { name })}</button>
        <a class="way" id="room-link" href=${hashOf({ view: 'room', id: room.id })}>${t('open', { name })}</a>
        <a class="way" id="speaker-link" href=${hashOf({ view: 'speaker', id: room.id })}>${t('speaker')}</a>
      </div>
      <section class="folded">
        <details id="chat" @toggle=${this.chatToggled}>
          <summary>${unread ? t('chatUnread', { name, count: unread }) : t('chat', { name })}</summary>
          ${this.isChatOpen && inside?.stage === 'inside'
            ? html`<room-chat .session=${session.sessionOf(room.id)}></room-chat>`
            : html`<p>${t('chatFirst', { name })}</p>`}
        </details>
      </section>
    `;
  }

  private readonly chatToggled = (event: Event) => {
    this.isChatOpen = (event.target as HTMLDetailsElement).open;
    if (this.isChatOpen) void import('../rooms/room-chat');
  };

  private open(sheet: 'announce' | 'room'): void {
    this.sheet = sheet;
    void (sheet === 'announce' ? import('./announce-sheet') : import('./room-sheet'));
  }

  private renderSheet({ places, stations, selected }: HouseView, session: HouseSession): TemplateResult | typeof nothing {
    const close = () => {
      this.sheet = null;
    };
    if (this.sheet === 'announce') {
      return html`<announce-sheet .session=${session} .places=${places?.filter(({ room }) => isOpenToAll(room) || this.may?.includes('share')) ?? []} .stations=${stations.filter(({ room }) => room.station === 'here')} .selected=${selected?.room.id ?? ''} @close=${close}></announce-sheet>`;
    }
    if (this.sheet === 'room') return html`<room-sheet .session=${session} @close=${close}></room-sheet>`;
    return nothing;
  }
}

/** What stands between this page and any microphone, or null. */
function obstacleHere(): Problem | null {
  const code = microphoneObstacle();
  return code && { code, detail: '' };
}
