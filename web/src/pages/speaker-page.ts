// A room on a loudspeaker: the addresses of what is said there, one for each kind of media player, and the same for the
// camera of a phone.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { HOME, type HouseSession } from '../house/house-session';
import { nameOf } from '../house/presence';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { hostOf, isLoopback, playerAddresses, tokenPath, type PlayerAddress } from '../lib/stream-addresses';
import { speakerWords as t } from '../messages/speaker';
import type { Room } from '../rooms/room-protocol';
import '../ui/copy-text';
import { partStyles } from '../ui/part.styles';
import '../ui/qr-code';
import { SessionWatch } from '../ui/watch-session';
import { speakerPageStyles } from './speaker-page.styles';

declare global {
  interface HTMLElementTagNameMap {
    'speaker-page': SpeakerPage;
  }
}

@customElement('speaker-page')
export class SpeakerPage extends LitElement {
  static override styles = [partStyles, speakerPageStyles];

  @property({ attribute: false }) session: HouseSession | null = null;
  @property({ attribute: false }) roomId = HOME;

  /** What the relay tells of itself, once it has. */
  @state() private info: RelayInfo | null = null;

  constructor() {
    super();
    new SessionWatch(this);
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (!changes.has('session') || !this.session) return;
    void askRelay<RelayInfo>(this.session.base, 'api/info').then((info) => {
      this.info = info?.body ?? null;
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    const { session, roomId } = this;
    if (!session) return nothing;
    const room = session.view.places?.find((place) => place.room.id === roomId)?.room;
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title', { room: room ? nameOf(room) : roomId })}</h1>
        </header>
        ${this.renderPlayers(session, room)} ${this.renderShare()}
      </main>
    `;
  }

  /** Where other devices find the relay, when the host of this page is of no use to them. */
  private get outerHost(): string | null {
    if (!isLoopback(location.hostname)) return null;
    const hosts = this.info?.media_addresses.map(hostOf).filter((host) => !isLoopback(host)) ?? [];
    // Not every player knows IPv6.
    return hosts.find((host) => !host.startsWith('[')) ?? hosts[0] ?? null;
  }

  private renderPlayers(session: HouseSession, room: Room | undefined): TemplateResult {
    const port = session.view.mp3Port;
    const host = this.outerHost ?? location.hostname;
    const all = port === null ? [] : playerAddresses(host, port, this.stream, tokenPath(session.base));
    // A mix has no encoding of its own.
    const addresses = all.filter(({ kind }) => this.roomId === HOME || kind !== 'opus');
    return html`
      <section aria-labelledby="players-heading">
        <h2 id="players-heading">${t('players')}</h2>
        <p class="note">${t(this.roomId === HOME ? 'latestNote' : 'roomNote')}</p>
        ${room?.pin ? html`<p class="note">${t('pinNote')}</p>` : nothing}
        ${location.protocol === 'https:' ? html`<p class="note" id="plain">${t('plainNote')}</p>` : nothing}
        ${addresses.length ? html`<ul id="players">${addresses.map(renderAddress)}</ul>` : html`<p class="note">${t('noPort')}</p>`}
      </section>
    `;
  }

  /** Whoever talks at home is one stream after another, in whichever encoding; rooms are mixed. */
  private get stream(): string {
    return this.roomId === HOME ? 'latest' : `room/${this.roomId}`;
  }

  private renderShare(): TemplateResult {
    const url = new URL(location.href);
    if (this.outerHost) url.hostname = this.outerHost;
    const link = url.href;
    const share = () => {
      // A person who thinks better of it is no error.
      navigator.share({ title: document.title, url: link }).catch(() => undefined);
    };
    return html`
      <section aria-labelledby="share">
        <h2 id="share">${t('share')}</h2>
        <p class="note">${t('shareNote')}</p>
        <qr-code text=${link} label=${t('qr')}></qr-code>
        <copy-text id="link" value=${link} label=${t('thisPage')}><p>${t('thisPage')}</p></copy-text>
        ${'share' in navigator ? html`<div class="buttons"><button id="share-button" @click=${share}>${t('shareButton')}</button></div>` : nothing}
        ${this.outerHost ? html`<p class="note" id="outer">${t('outer', { host: location.hostname, outer: this.outerHost })}</p>` : nothing}
      </section>
    `;
  }
}

function renderAddress({ kind, url }: PlayerAddress): TemplateResult {
  return html`
    <li data-player=${kind}>
      <copy-text value=${url} label=${t(`for_${kind}`)}>
        <p>${t(`for_${kind}`)}<br /><span class="note">${t(`delay_${kind}`)}</span></p>
      </copy-text>
    </li>
  `;
}
