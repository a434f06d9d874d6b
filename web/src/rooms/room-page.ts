// A room as people see it: a view of the room's session, and nothing that the session does not know.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import { chatIcon, loudspeakerIcon, silentIcon } from '../ui/icons';
import '../ui/level-meter';
import { problemInWords } from '../messages/problems';
import { noticeInWords, roomWords as t } from '../messages/room';
import '../ui/problem-help';
import { hashOf } from '../pages/routes';
import { microphoneObstacle } from '../session/microphone';
import type { VoiceSession } from '../session/session';
import '../ui/settings-panel';
import '../ui/talk-button';
import './invite-panel';
import './music-panel';
import './room-chat';
import type { RoomChat } from './room-chat';
import './room-door';
import { roomPageStyles } from './room-page.styles';
import './room-people';
import type { Room } from './room-protocol';
import { RoomSession } from './room-session';
import type { RoomView } from './room-view';
import { describeRoom, whyNotTalk } from './room-words';
import './statistics-panel';
import './sure-button';

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

  /** The page's session: its choices are ours, and it is silent while we are in a room. */
  @property({ attribute: false }) session: VoiceSession | null = null;
  @property({ attribute: false }) roomId = '';

  @state() private view: RoomView | null = null;
  /** From the list of rooms, for those who are not inside yet. */
  @state() private name = '';
  @query('room-chat') private chat!: RoomChat | null;
  private room: RoomSession | null = null;
  private readonly obstacle = microphoneObstacle();
  private readonly follow = () => {
    if (!this.room) return;
    this.view = this.room.view;
    this.reflect(this.view);
  };
  /** Devices may be chosen while one is in the room. */
  private readonly followChoices = () => {
    this.room?.followChoices();
    this.requestUpdate();
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
    this.room = new RoomSession(session.base, this.roomId, session);
    this.room.addEventListener('change', this.follow);
    session.addEventListener('change', this.followChoices);
    session.room = this.room;
    void nameOf(session.base, this.roomId).then((name) => {
      this.name = name;
    });
    this.room.enter();
    this.follow();
  }

  private leave(): void {
    const { session, room } = this;
    this.room = null;
    room?.removeEventListener('change', this.follow);
    room?.close();
    session?.removeEventListener('change', this.followChoices);
    if (session?.room === room) session.room = null;
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
        <h1 tabindex="-1">${view.room?.name ?? (this.name || this.roomId)}</h1>
        <a class="back" id="leave" href=${hashOf({ view: 'rooms' })}>${t('leave')}</a>
      </header>
      ${isInside
        ? html`${this.renderDock(view, room)}${this.renderMain(view, room, session)}`
        : html`<main>
            ${view.refusal
              ? html`<room-door .session=${room} .name=${session.choices.name}></room-door>`
              : html`<p id="state" role="status">${view.connected ? t('joining') : t('away')}</p>`}
          </main>`}
    `;
  }

  private renderDock(view: RoomView, room: RoomSession): TemplateResult {
    const [first, ...others] = describeRoom(view);
    const obstacle = this.obstacle && problemInWords({ code: this.obstacle, detail: '' });
    const unread = view.unread ? t('chatUnread', { count: view.unread }) : t('chat');
    return html`
      <section class="dock" aria-label=${t('talkAndListen')}>
        <p id="state" role="status"><strong>${first}</strong> ${others.join(' ')}</p>
        <level-meter .track=${room.microphoneTrack} aria-label=${t('level')}></level-meter>
        <div class="buttons">
          <button id="listen" type="button" aria-pressed=${view.listening} @click=${() => { room.listen(!view.listening); }}>
            ${view.listening ? loudspeakerIcon : silentIcon}<span>${t('hear')}</span>
          </button>
          <talk-button space-bar .session=${room} .disabledReason=${obstacle ?? whyNotTalk(view)}></talk-button>
          <button id="chat" type="button" aria-label=${unread} @click=${() => this.chat?.focus()}>
            ${chatIcon}<span aria-hidden="true">${t('chat')}</span>
            ${view.unread ? html`<span class="badge" aria-hidden="true">${view.unread}</span>` : nothing}
          </button>
        </div>
      </section>
    `;
  }

  private renderMain(view: RoomView, room: RoomSession, session: VoiceSession): TemplateResult {
    const mayShare = view.people.some(({ you, word, muted }) => you && word && !muted);
    return html`
      <main>
        ${this.renderNotices(view, room)}
        <section><room-people .session=${room}></room-people></section>
        <section><room-chat .session=${room}></room-chat></section>
        ${view.room?.kind === 'broadcast' ? this.renderDelay(view, room) : nothing}
        ${mayShare
          ? html`<section class="folded"><music-panel .session=${room} .inputs=${session.view.devices.microphones}></music-panel></section>`
          : nothing}
        ${view.mayHost ? renderHost(view, room) : nothing}
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
      ${reason ? html`<section id="no-word" role="status">${reason}</section>` : nothing}
      ${view.notice && !reason ? html`<section id="notice" role="alert">${noticeInWords(view.notice)}</section>` : nothing}
      <problem-help
        .problem=${this.obstacle ? { code: this.obstacle, detail: '' } : problem}
        ?heard=${view.talk === 'live'}
        .base=${room.base}
      ></problem-help>
    `;
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

/** How a room is called in the list of rooms; empty when it is not there. */
async function nameOf(base: URL, roomId: string): Promise<string> {
  try {
    const { rooms } = (await (await fetch(new URL('api/rooms', base))).json()) as { rooms: Room[] };
    return rooms.find(({ id }) => id === roomId)?.name ?? '';
  } catch {
    return '';
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
