// Calls, over whatever view there is: what rings here, whom we call, with whom we talk, and what was missed.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import type { HouseSession } from '../house/house-session';
import { callWords as t, endingInWords, messageTroubleInWords, namesOf, refusalInWords } from '../messages/calls';
import { nameOf } from '../house/presence';
import { spoken } from '../lib/i18n';
import { clock } from '../player/clock';
import { buttonStyles } from '../ui/button.styles';
import { bellIcon, microphoneIcon, mutedIcon } from '../ui/icons';
import { SessionWatch } from '../ui/watch-session';
import { CallKeys } from './call-keys';
import { callInAddress, forgetCallInAddress } from './call-link';
import type { Call } from './call-protocol';
import { Ringer } from './ringer';
import { partnerOf, type CurrentCall, type RecordingView } from './calls-view';

declare global {
  interface HTMLElementTagNameMap {
    'call-panel': CallPanel;
  }
}

/** After so long a device answers that does so by itself: whoever is near has heard the bell, and can still decline. */
const ANSWERS_ITSELF_MS = 2_000;

/** The place that is the whole house. */
const EVERYBODY = 'everybody';

@customElement('call-panel')
export class CallPanel extends LitElement {
  static override styles = [
    buttonStyles,
    css`
      :host {
        position: fixed;
        z-index: 3;
        top: max(0.75rem, env(safe-area-inset-top));
        left: 50%;
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.6rem;
        box-sizing: border-box;
        width: min(100vw - 1.5rem, 30rem);
        transform: translateX(-50%);
      }
      section {
        display: grid;
        grid-template-columns: minmax(0, 1fr);
        gap: 0.75rem;
        padding: 1rem;
        border: 2px solid var(--line);
        border-radius: 1.1rem;
        background: var(--surface);
        box-shadow: 0 0.75rem 2.5rem rgb(0 0 0 / 35%);
        color: var(--ink);
      }
      .called {
        border-color: var(--accent);
      }
      :is(.talking, .recording) {
        border-color: var(--live);
      }
      h2,
      p {
        margin: 0;
        overflow-wrap: anywhere;
      }
      h2 {
        display: flex;
        gap: 0.6rem;
        align-items: center;
        font-size: 1.25rem;
      }
      h2:focus {
        outline: none;
      }
      svg {
        flex: none;
        width: 1.7rem;
      }
      p {
        color: var(--quiet);
      }
      .buttons {
        display: grid;
        grid-template-columns: repeat(auto-fit, minmax(min(100%, 8.5rem), 1fr));
        gap: 0.6rem;
      }
      .buttons button {
        padding-inline: 0.5rem;
      }
      .called .buttons button {
        min-height: 4rem;
        border-radius: 2rem;
        font-size: 1.15rem;
      }
      .yes {
        background: var(--accent);
        color: var(--on-accent);
      }
      .end {
        border-color: var(--live);
        color: var(--live);
      }
      .talking .end {
        background: var(--live);
        color: var(--on-live);
      }
      .mute {
        display: flex;
        gap: 0.4rem;
        align-items: center;
        justify-content: center;
      }
      .small {
        gap: 0.5rem;
        padding: 0.75rem 1rem;
      }
      .small h2 {
        font-size: 1rem;
      }
      /* A phone at twice its size. */
      @media (max-width: 17rem) {
        section {
          padding: 0.75rem;
        }
        h2 {
          gap: 0.4rem;
          font-size: 1rem;
        }
      }
      @media (prefers-reduced-motion: no-preference) {
        .called svg {
          animation: swing 0.6s ease-in-out infinite alternate;
          transform-origin: 50% 10%;
        }
      }
      @keyframes swing {
        from {
          transform: rotate(-14deg);
        }
        to {
          transform: rotate(14deg);
        }
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  private readonly ringer = new Ringer();
  private readonly keys = new CallKeys();
  private readonly pageTitle = document.title;
  /** The call that was announced to whoever cannot see it. */
  private announced = '';
  /** The call that this page was opened to answer. */
  private addressed = '';
  private answering: ReturnType<typeof setTimeout> | undefined;
  private ticking: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    new SessionWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener('visibilitychange', this.look);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    document.removeEventListener('visibilitychange', this.look);
    this.ringer.ring(null, '');
    clearTimeout(this.answering);
    this.keepTime(false);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session } = this;
    if (!session) return nothing;
    const { current, ended, missed, refusal } = session.view.calls;
    const { recording, unseen } = session.view.messages;
    return html`
      ${current ? this.renderCurrent(current, session) : nothing}
      ${recording && !current ? this.renderRecording(recording, session) : nothing}
      ${ended && !current && !recording ? this.renderEnded(ended, session) : nothing}
      ${unseen && !current && !recording ? this.renderUnseen(session) : nothing}
      ${refusal ? html`<section class="small" role="alert"><p id="refusal">${refusalInWords(refusal)}</p></section>` : nothing}
      ${current ? nothing : repeat(missed, ({ id }) => id, (call) => this.renderMissed(call, session))}
    `;
  }

  protected override updated(): void {
    const { session } = this;
    const current = session?.view.calls.current ?? null;
    this.dataset['role'] = current?.role ?? '';
    const ringing = { called: 'bell', calling: 'waiting', talking: null } as const;
    this.ringer.ring(current ? ringing[current.role] : null, session?.choices.loudspeaker ?? '');
    this.keys.follow(current, {
      answer: () => { if (current && session) this.answer(current.call, session); },
      hangUp: () => { if (current) session?.calls.station?.hangUp(current.call); },
    });
    document.title = current?.role === 'called' ? `🔔 ${t('called', { name: current.call.from.name })}` : this.pageTitle;
    this.badge(current?.role === 'called' ? 1 : (session?.view.calls.missed.length ?? 0) + (session?.view.messages.unseen ?? 0));
    this.keepTime(session?.view.messages.recording?.stage === 'recording');
    if (current?.role !== 'called') {
      clearTimeout(this.answering);
    } else if (session && callInAddress() === current.call.id && this.addressed !== current.call.id) {
      // Whoever opened this page to answer a call has answered it.
      this.addressed = current.call.id;
      forgetCallInAddress();
      clearTimeout(this.answering);
      this.answer(current.call, session);
    } else if (this.announced !== current.call.id) {
      this.announced = current.call.id;
      this.renderRoot.querySelector<HTMLElement>('h2')?.focus();
      this.answerLater(current.call);
    }
  }

  /** Home Assistant's app shows this page again, by another address around it. */
  private readonly look = (): void => {
    this.requestUpdate();
  };

  /** Where somebody wants that: a device that calls is answered by itself, once the bell was heard. A doorbell never is. */
  private answerLater(call: Call): void {
    clearTimeout(this.answering);
    if (!this.answersItself(call)) return;
    this.answering = setTimeout(() => {
      this.session?.calls.station?.answer(call);
    }, ANSWERS_ITSELF_MS);
  }

  private answersItself(call: Call): boolean {
    const own = this.session?.view.own?.room.id;
    return Boolean(this.session?.choices.answersItself && call.to.some(({ station, drop_in: may }) => station === own && may));
  }

  /** On the icon of the installed page, where there is one. */
  private badge(count: number): void {
    const badged = navigator as Partial<Pick<Navigator, 'setAppBadge' | 'clearAppBadge'>>;
    // Only secure pages have it, and only some systems show it.
    (count ? badged.setAppBadge?.(count) : badged.clearAppBadge?.())?.catch(() => undefined);
  }

  private renderCurrent({ call, role }: CurrentCall, session: HouseSession): TemplateResult {
    if (role === 'called') return this.renderCalled(call, session);
    return role === 'calling' ? this.renderCalling(call, session) : this.renderTalking(call, session);
  }

  private renderCalled(call: Call, session: HouseSession): TemplateResult {
    const own = session.view.own?.room.id;
    const others = call.to.filter(({ station, state }) => station !== own && state === 'ringing').map(({ name }) => name);
    return html`<section class="called" role="alertdialog" aria-labelledby="who">
      <h2 id="who" tabindex="-1">${bellIcon} ${t('called', { name: call.from.name })}</h2>
      ${others.length ? html`<p>${t('alsoCalled', { names: namesOf(others) })}</p>` : nothing}
      ${this.answersItself(call) ? html`<p id="by-itself">${t('byItself')}</p>` : nothing}
      <div class="buttons">
        <button id="decline" class="end" type="button" @click=${() => { session.calls.station?.hangUp(call); }}>${t('decline')}</button>
        <button id="answer" class="yes" type="button" @click=${() => { this.answer(call, session); }}>${t('answer')}</button>
      </div>
    </section>`;
  }

  private answer(call: Call, session: HouseSession): void {
    session.calls.station?.answer(call);
    // The tap is what browsers want before they play anything.
    session.unblock();
  }

  private renderCalling(call: Call, session: HouseSession): TemplateResult {
    return html`<section class="calling" role="status">
      <h2>${bellIcon} ${t('calling', { name: namesOf(call.to.map(({ name }) => name)) })}</h2>
      <div class="buttons">
        <button id="cancel" class="end" type="button" @click=${() => { session.calls.station?.hangUp(call); }}>${t('cancel')}</button>
      </div>
    </section>`;
  }

  private renderTalking(call: Call, session: HouseSession): TemplateResult {
    const { view } = session;
    const name = partnerOf(call, view.own?.room.id);
    return html`<section class="talking" aria-labelledby="who">
      <h2 id="who">${view.muted ? mutedIcon : microphoneIcon} ${t('talking', { name })}</h2>
      <p id="microphone" role="status">${this.microphoneInWords(session)}</p>
      <div class="buttons">
        <button id="mute" class="mute" type="button" aria-pressed=${view.muted} ?disabled=${view.microphone !== 'live'}
          @click=${() => { session.setMuted(!view.muted); }}>${view.muted ? mutedIcon : microphoneIcon} ${t('mute')}</button>
        <button id="hang-up" class="end" type="button" @click=${() => { session.calls.station?.hangUp(call); }}>${t('hangUp')}</button>
      </div>
    </section>`;
  }

  private microphoneInWords({ view }: HouseSession): string {
    if (view.talk === 'failed') return t('deaf');
    if (view.microphone !== 'live') return t('opening');
    return view.muted ? t('muted') : t('talkingOpen');
  }

  private renderEnded(call: Call, session: HouseSession): TemplateResult {
    const again = call.to.map(({ station }) => station);
    const leave = this.leaves(call, session);
    return html`<section class="small" role="status">
      <p id="ended">${endingInWords(call)}</p>
      <div class="buttons">
        ${leave ? html`<button id="leave-message" class="yes" type="button" @click=${leave}>${t('leaveMessage')}</button>` : nothing}
        <button id="again" type="button" @click=${() => { session.calls.ring(again); }}>${t('again')}</button>
      </div>
    </section>`;
  }

  /** What leaves a message for whoever was called, if that was one place. */
  private leaves(call: Call, session: HouseSession): (() => void) | null {
    const { rung } = session.view.calls;
    if (!rung) return null;
    const place = session.view.places?.find(({ room }) => room.id === rung);
    const name = place ? nameOf(place.room) : rung === EVERYBODY ? t('everybody') : namesOf(call.to.map((callee) => callee.name));
    return () => {
      session.calls.leaveMessage(rung, name);
    };
  }

  private renderRecording(recording: RecordingView, session: HouseSession): TemplateResult {
    const { stage, name } = recording;
    const isOver = stage === 'sent' || stage === 'failed';
    return html`<section class=${stage} aria-labelledby="message-for" data-stage=${stage}>
      <h2 id="message-for">${microphoneIcon} ${t('messageFor', { name })}</h2>
      <p id="message-stage" role=${stage === 'failed' ? 'alert' : 'status'}>${this.stageInWords(recording)}</p>
      ${stage === 'recording' ? html`<p id="message-time">${this.timeOf(recording)}</p>` : nothing}
      <div class="buttons">
        <button id="discard-message" type="button" class=${isOver ? '' : 'end'} ?disabled=${stage === 'sending'}
          @click=${() => { session.calls.mailbox?.discard(); }}>${isOver ? t('close') : t('discard')}</button>
        ${isOver
          ? nothing
          : html`<button id="send-message" class="yes" type="button" ?disabled=${stage !== 'recording'} @click=${() => { session.calls.mailbox?.send(); }}>${t('send')}</button>`}
      </div>
    </section>`;
  }

  private stageInWords(recording: RecordingView): string {
    switch (recording.stage) {
      case 'opening':
        return t('messageOpening');
      case 'recording':
        return t('messageSpeak');
      case 'sending':
        return t('messageSending');
      case 'sent':
        return t('messageSent', { name: recording.name });
      case 'failed':
        return messageTroubleInWords(recording);
    }
  }

  private timeOf({ began, seconds }: RecordingView): string {
    return t('messageTime', { time: clock(Math.min((Date.now() - began) / 1_000, seconds)), most: clock(seconds) });
  }

  /** Shows how long a message is by now. */
  private keepTime(on: boolean): void {
    if (!on) {
      clearInterval(this.ticking);
      this.ticking = undefined;
      return;
    }
    this.ticking ??= setInterval(() => {
      this.requestUpdate();
    }, 500);
  }

  private renderUnseen(session: HouseSession): TemplateResult {
    const { messages, unseen } = session.view.messages;
    const name = messages.find(({ heard }) => !heard)?.from.name ?? '';
    const listen = () => {
      session.calls.mailbox?.putOff();
      location.hash = '#/calls';
    };
    return html`<section class="small" role="status" id="new-messages">
      <h2>${unseen === 1 ? t('newMessage', { name }) : t('newMessages', { count: unseen })}</h2>
      <div class="buttons">
        <button id="listen-messages" class="yes" type="button" @click=${listen}>${t('listen')}</button>
        <button type="button" @click=${() => { session.calls.mailbox?.putOff(); }}>${t('later')}</button>
      </div>
    </section>`;
  }

  private renderMissed(call: Call, session: HouseSession): TemplateResult {
    const time = new Date(call.at * 1_000).toLocaleTimeString(spoken(), { timeStyle: 'short' });
    const { station } = call.from;
    const back = () => {
      session.calls.station?.forgetMissed(call);
      if (station) session.calls.ring([station]);
    };
    return html`<section class="small missed" role="status">
      <h2>${t('missedCall', { name: call.from.name })} · ${time}</h2>
      <div class="buttons">
        ${station ? html`<button class="yes" type="button" @click=${back}>${t('back')}</button>` : nothing}
        <button type="button" @click=${() => { session.calls.station?.forgetMissed(call); }}>${t('close')}</button>
      </div>
    </section>`;
  }
}
