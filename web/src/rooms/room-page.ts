// A room as people see it: a view of the room's session, and nothing that the session does not know.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import { chatIcon, loudspeakerIcon, microphoneIcon, mutedIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import { problemInWords } from '../messages/problems';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { noticeInWords, roomWords as t } from '../messages/room';
import '../ui/problem-help';
import { hashOf } from '../pages/routes';
import { microphoneObstacle } from '../session/microphone';
import type { HouseSession } from '../house/house-session';
import { nameOf } from '../house/presence';
import '../ui/settings-panel';
import '../ui/silent-microphone';
import '../ui/talk-button';
import './invite-panel';
import './live-players';
import './music-panel';
import './room-chat';
import type { RoomChat } from './room-chat';
import './room-door';
import './room-options';
import { roomPageStyles } from './room-page.styles';
import './room-people';
import type { RoomSession } from './room-session';
import type { RoomView } from './room-view';
import { describeRoom, whyNotTalk } from './room-words';
import './statistics-panel';
import './sure-button';
import '../video/video-stage';

declare global {
  interface HTMLElementTagNameMap {
    'room-page': RoomPage;
  }
}

/** Listening delays to choose from, in milliseconds; browsers allow no longer one. */
const DELAYS = [0, 500, 1_000, 2_000, 4_000];

@customElement('room-page')
export class RoomPage extends LitElement {
  static override styles = roomPageStyles;

  /** The page's session, which is in the room for us. */
  @property({ attribute: false }) session: HouseSession | null = null;
  @property({ attribute: false }) roomId = '';
  /** What an invitation says at the door. */
  @property({ attribute: false }) pin = '';

  @state() private view: RoomView | null = null;
  /** Whether this person may choose what is the same for all. */
  @state() private mayChoose = false;
  @query('room-chat') private chat!: RoomChat | null;
  private room: RoomSession | null = null;
  private readonly obstacle = microphoneObstacle();
  private readonly follow = () => {
    if (!this.room) return;
    this.view = this.room.view;
    this.reflect(this.view);
  };
  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.leave();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('session') || changes.has('roomId')) this.enter();
  }

  private enter(): void {
    this.leave();
    const { session } = this;
    if (!session || !this.roomId) return;
    this.room = session.visit(this.roomId);
    if (this.pin) this.room.bring(this.pin);
    // Whoever goes into a room wants to hear it, and talks there.
    session.listenTo(this.roomId, true);
    session.select(this.roomId);
    session.addEventListener('change', this.follow);
    void askRelay<RelayInfo>(session.base, 'api/info').then((info) => {
      this.mayChoose = info?.body.may.includes('admin') ?? false;
    });
    this.follow();
  }

  private leave(): void {
    if (!this.room) return;
    this.room = null;
    this.session?.removeEventListener('change', this.follow);
    this.session?.endVisit(this.roomId);
  }

  /** The state as attributes, for styles and tests. */
  private reflect({ stage, talk, microphone, carries, connected }: RoomView): void {
    Object.assign(this.dataset, { stage, talk, mic: microphone, carries: carries ? 'yes' : 'no', connection: connected ? 'up' : 'down' });
  }

  protected override render(): TemplateResult | typeof nothing {
    const { view, room, session } = this;
    if (!view || !room || !session) return nothing;
    const isInside = view.people.length > 0;
    return html`
      <header>
        <a class="back" id="back" href="#/" aria-label=${t('back')}>‹</a>
        <h1 tabindex="-1">${this.roomName(view)}</h1>
        <button id="leave" type="button" @click=${() => { this.goOut(session); }}>${t('leave')}</button>
      </header>
      ${isInside
        ? html`${this.renderDock(view, room, session)}${this.renderMain(view, room, session)}`
        : html`<main>
            ${view.refusal
              ? html`<room-door .session=${room} .name=${session.choices.name} @leave=${() => { this.goOut(session); }}></room-door>`
              : html`<p id="state" role="status">${view.connected ? t('joining') : t('away')}</p>`}
          </main>`}
    `;
  }

  private roomName({ room }: RoomView): string {
    const listed = this.session?.view.places?.find((place) => place.room.id === this.roomId)?.room;
    const known = room ?? listed;
    return known ? nameOf(known) : this.roomId;
  }

  /** Leaves the room for good, rather than going on listening to it from the page of the house. */
  private goOut(session: HouseSession): void {
    session.leave(this.roomId);
    location.hash = hashOf({ view: 'home' });
  }

  private renderDock(view: RoomView, room: RoomSession, session: HouseSession): TemplateResult {
    const [first, ...others] = describeRoom(view);
    const obstacle = this.obstacle && problemInWords({ code: this.obstacle, detail: '' });
    const unread = view.unread ? t('chatUnread', { count: view.unread }) : t('chat');
    return html`
      <section class="dock" aria-label=${t('talkAndListen')}>
        <p id="state" role="status"><strong>${first}</strong> ${others.join(' ')}</p>
        <level-meter .track=${room.microphoneTrack} aria-label=${t('level')}></level-meter>
        <div class="buttons">
          <button id="listen" type="button" aria-pressed=${view.listening} ?disabled=${!view.connected} @click=${() => { session.listenTo(this.roomId, !view.listening); }}>
            ${view.listening ? loudspeakerIcon : silentIcon}<span>${t('hear')}</span>
          </button>
          <talk-button space-bar .session=${session} .disabledReason=${obstacle ?? whyNotTalk(view) ?? (view.connected || view.talk !== 'idle' ? null : t('away'))}></talk-button>
          <button id="mute" type="button" aria-pressed=${view.muted} ?disabled=${view.microphone !== 'live'} @click=${() => { session.setMuted(!view.muted); }}>
            ${view.muted ? mutedIcon : microphoneIcon}<span>${t('muteSelf')}</span>
          </button>
        </div>
        <div class="more">
          <button id="chat" type="button" aria-label=${unread} @click=${() => this.chat?.focus()}>
            ${chatIcon} <span aria-hidden="true">${t('chat')}</span>
            ${view.unread ? html`<span class="badge" aria-hidden="true">${view.unread}</span>` : nothing}
          </button>
        </div>
      </section>
    `;
  }

  private renderMain(view: RoomView, room: RoomSession, session: HouseSession): TemplateResult {
    const mayShare = view.people.some(({ you, word, muted }) => you && word && !muted);
    return html`
      <main>
        ${this.renderNotices(view, room)}
        <silent-microphone .session=${session} ?silent=${view.silent}></silent-microphone>
        <section><video-stage .session=${room}></video-stage></section>
        <section><room-people .session=${room}></room-people></section>
        <section><room-chat .session=${room}></room-chat></section>
        ${view.room?.kind === 'broadcast' ? this.renderDelay(view, room) : nothing}
        ${mayShare
          ? html`<section class="folded"><music-panel .session=${room} .inputs=${session.view.devices.microphones}></music-panel></section>`
          : nothing}
        ${view.mayHost ? renderHost(view, room) : nothing}
        ${this.mayChoose ? html`<section><room-options .room=${view.room} .base=${session.base}></room-options></section>` : nothing}
        <live-players .session=${session} room=${this.roomId}></live-players>
        <section class="folded"><statistics-panel .session=${room}></statistics-panel></section>
        <section class="folded"><invite-panel .room=${view.room} .base=${session.base}></invite-panel></section>
        <section class="folded"><settings-panel .session=${session}></settings-panel></section>
      </main>
    `;
  }

  private renderNotices(view: RoomView, room: RoomSession): TemplateResult {
    const reason = whyNotTalk(view);
    const problem = view.problem?.code === 'refused' ? null : view.problem;
    return html`
      ${view.connected ? nothing : html`<section id="away" role="alert">${t('away')}</section>`}
      ${view.blocked
        ? html`<section class="unblock" role="alert">
            ${t('blocked')} <button id="unblock" type="button" @click=${() => { room.unblock(); }}>${t('unblock')}</button>
          </section>`
        : nothing}
      ${reason ? this.renderNoFloor(reason, view, room) : nothing}
      ${view.notice && !reason ? html`<section id="notice" role="alert">${noticeInWords(view.notice)}</section>` : nothing}
      <problem-help
        .problem=${this.obstacle ? { code: this.obstacle, detail: '' } : problem}
        ?heard=${view.talk === 'live'}
        .base=${room.base}
      ></problem-help>
    `;
  }

  /** Why nobody can talk here, and the way to do so in a room that waits for its host. */
  private renderNoFloor(reason: string, { people, room: about }: RoomView, room: RoomSession): TemplateResult {
    const isUnclaimed = about?.kind === 'broadcast' && !people.some(({ host }) => host);
    return html`<section id="no-word" role="status">
      ${isUnclaimed ? t('noHost') : reason}
      ${isUnclaimed ? html`<br /><button id="claim-floor" type="button" @click=${() => { room.host('claim'); }}>${t('claim')}</button>` : nothing}
    </section>`;
  }

  private renderDelay({ delay, people }: RoomView, room: RoomSession): TemplateResult | typeof nothing {
    if (people.some(({ you, host }) => you && host)) return nothing;
    const choose = (event: Event) => {
      room.wait(Number((event.target as HTMLSelectElement).value));
    };
    const seconds = (milliseconds: number) => t('seconds', { count: (milliseconds / 1_000).toLocaleString(document.documentElement.lang) });
    return html`<section>
      <label>
        ${t('delay')}
        <select id="delay" aria-describedby="delay-hint" @change=${choose}>
          ${DELAYS.map((one) => html`<option value=${one} ?selected=${one === delay}>${one ? seconds(one) : t('now')}</option>`)}
        </select>
      </label>
      <p id="delay-hint">${t('delayHint')}</p>
    </section>`;
  }
}

function renderHost({ room: about, people }: RoomView, room: RoomSession): TemplateResult {
  const isLocked = about?.locked ?? false;
  return html`
    <section id="host">
      <h2>${t('hostTitle')}</h2>
      ${isLocked ? html`<p role="status">${t('isLocked')}</p>` : nothing}
      <div class="actions">
        <button id="lock" type="button" @click=${() => { room.host(isLocked ? 'unlock' : 'lock'); }}>${isLocked ? t('unlock') : t('lock')}</button>
        ${people.some(({ host }) => host) || about?.permanent
          ? nothing
          : html`<button id="claim" type="button" @click=${() => { room.host('claim'); }}>${t('claim')}</button>`}
        <sure-button id="close" label=${t('close')} question=${t('closeSure')} @sure=${() => { room.host('close'); }}></sure-button>
      </div>
    </section>
  `;
}
