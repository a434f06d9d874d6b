// The page of one stream, or of `latest`: who it is, listening here, and how other devices come to it.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import '../ui/copy-text';
import '../ui/level-meter';
import '../ui/qr-code';
import { streamWords as t } from '../messages/stream';
import { partStyles } from '../ui/part.styles';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { hashOf } from './routes';
import type { SessionView, StreamView, VoiceSession } from '../session/session';
import { hostOf, isLoopback, playerAddresses, tokenPath, type PlayerAddress } from '../lib/stream-addresses';
import { streamPageStyles } from './stream-page.styles';

/** The stream that is whoever talks. */
const LATEST = 'latest';

/** How a stream is: `unknown` until the relay has told which there are. */
type Life = 'unknown' | 'live' | 'quiet' | 'ended';

declare global {
  interface HTMLElementTagNameMap {
    'stream-page': StreamPage;
  }
}

@customElement('stream-page')
export class StreamPage extends LitElement {
  static override styles = [partStyles, streamPageStyles];

  @property() streamId = LATEST;
  @property({ attribute: false }) session: VoiceSession | null = null;

  @state() private view: SessionView | null = null;
  /** Where other devices find the relay, when the host of this page is of no use to them. */
  @state() private outerHost: string | null = null;
  /** Kept, so that a stream that has ended still has its name. */
  private name = '';
  @query('h1') private heading!: HTMLElement;
  private readonly show = () => {
    this.view = this.session?.view ?? null;
  };

  override connectedCallback(): void {
    super.connectedCallback();
    this.session?.addEventListener('change', this.show);
    this.show();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.session?.removeEventListener('change', this.show);
  }

  protected override willUpdate(changes: PropertyValues<this>): void {
    if (changes.has('session')) {
      changes.get('session')?.removeEventListener('change', this.show);
      this.session?.addEventListener('change', this.show);
      this.show();
      void this.learnOuterHost();
    }
    if (changes.has('streamId')) this.name = '';
    this.name = nameOf(this.stream) || this.name;
    this.dataset['life'] = this.life;
  }

  protected override firstUpdated(): void {
    this.heading.focus();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.get('streamId') !== undefined) this.heading.focus();
  }

  protected override render(): TemplateResult {
    const { life } = this;
    const title = this.streamId === LATEST ? t('latest') : this.name || t('speaker');
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${title}</h1>
        </header>
        ${this.renderNow(life)} ${life === 'ended' ? nothing : html`${this.renderShare()} ${this.renderPlayers()}`}
      </main>
    `;
  }

  private get stream(): StreamView | undefined {
    const streams = this.view?.streams ?? [];
    return this.streamId === LATEST ? streams.at(-1) : streams.find(({ id }) => id === this.streamId);
  }

  private get life(): Life {
    if (this.stream) return 'live';
    // The port is learnt after the list of streams came.
    if (!this.view?.connected || this.view.mp3Port === null) return 'unknown';
    return this.streamId === LATEST ? 'quiet' : 'ended';
  }

  private renderNow(life: Life): TemplateResult {
    const { stream } = this;
    const words = { unknown: t('connecting'), live: t('live'), quiet: t('quiet'), ended: t('ended') }[life];
    const who = this.streamId === LATEST && this.name && stream ? `: ${this.name}` : '';
    return html`
      <section aria-labelledby="life">
        <p class="life ${life}" id="life" role="status">${words}${who}</p>
        ${life === 'ended'
          ? html`<p class="note">${t('endedNote')}</p>
              ${renderLatestLink()}`
          : nothing}
        ${stream ? this.renderStream(stream) : nothing}
      </section>
    `;
  }

  private renderStream(stream: StreamView): TemplateResult {
    const { listeners, own, state, level } = stream;
    const label = t('level', { name: this.name || t('speaker') });
    return html`
      ${listeners === null ? nothing : html`<p class="note">${listeners === 1 ? t('listener') : t('listeners', { count: listeners })}</p>`}
      ${own || state !== 'off'
        ? html`<level-meter role="img" aria-label=${label} .track=${own ? (this.session?.microphoneTrack ?? null) : null} .level=${level}></level-meter>`
        : nothing}
      ${own ? nothing : this.renderListening(stream)}
    `;
  }

  private renderListening({ id, state }: StreamView): TemplateResult {
    const isHeard = state !== 'off';
    const words = { off: '', connecting: t('joining'), playing: t('hearing'), blocked: t('blocked') }[state];
    return html`
      <div class="buttons">
        <button id="listen-here" class=${isHeard ? 'on' : ''} @click=${() => { this.setHeard(id, !isHeard); }}>
          ${isHeard ? t('stop') : t('listen')}
        </button>
        ${state === 'blocked' ? html`<button id="unblock" @click=${() => this.session?.unblock()}>${t('unblock')}</button>` : nothing}
      </div>
      <p class="note" role="status">${words}</p>
    `;
  }

  private setHeard(id: string, heard: boolean): void {
    const others = this.view?.streams.some((stream) => stream.id !== id && stream.state !== 'off');
    if (heard || others) this.session?.setHeard(id, heard);
    if (heard) this.session?.listen();
    else if (!others) this.session?.stopListening();
  }

  private renderShare(): TemplateResult {
    const link = this.link();
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

  /** This page, as other devices can open it. */
  private link(): string {
    const url = new URL(location.href);
    if (this.outerHost) url.hostname = this.outerHost;
    return url.href;
  }

  private renderPlayers(): TemplateResult {
    const port = this.view?.mp3Port ?? null;
    const addresses = port === null ? [] : this.addresses(port);
    return html`
      <section aria-labelledby="players-heading">
        <h2 id="players-heading">${t('players')}</h2>
        <p class="note">${this.streamId === LATEST ? t('latestNote') : html`${t('streamNote')}<br />${renderLatestLink()}`}</p>
        ${location.protocol === 'https:' ? html`<p class="note" id="plain">${t('plainNote')}</p>` : nothing}
        ${addresses.length ? html`<ul id="players">${addresses.map(renderAddress)}</ul>` : html`<p class="note">${t('noPort')}</p>`}
      </section>
    `;
  }

  private addresses(port: number): PlayerAddress[] {
    const path = this.session ? tokenPath(this.session.base) : '/';
    return playerAddresses(this.outerHost ?? location.hostname, port, this.streamId, path);
  }

  private async learnOuterHost(): Promise<void> {
    if (!this.session || !isLoopback(location.hostname)) return;
    const info = await askRelay<RelayInfo>(this.session.base, 'api/info');
    const hosts = info?.body.media_addresses.map(hostOf).filter((host) => !isLoopback(host)) ?? [];
    // Not every player knows IPv6.
    this.outerHost = hosts.find((host) => !host.startsWith('[')) ?? hosts[0] ?? null;
  }
}

function renderLatestLink(): TemplateResult {
  return html`<a class="to-latest" href=${hashOf({ view: 'stream', id: LATEST })}>${t('toLatest')}</a>`;
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

function nameOf(stream: StreamView | undefined): string {
  if (stream?.own) return t('you');
  return stream?.name ?? '';
}
