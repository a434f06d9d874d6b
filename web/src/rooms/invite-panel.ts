// How others come into the room: a link, the same as a QR code, and the address of its mix for media players.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import '../ui/copy-text';
import { roomWords as t } from '../messages/room';
import '../ui/qr-code';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import { addresses } from '../lib/share-link';
import { isLoopback, tokenPath } from '../lib/stream-addresses';
import { hashOf } from '../pages/routes';
import { fieldStyles } from '../ui/field.styles';
import { pinOf } from './room-keys';
import type { Room } from './room-protocol';

@customElement('invite-panel')
export class InvitePanel extends LitElement {
  static override styles = [
    fieldStyles,
    css`
      :host {
        display: block;
      }
      .ways {
        display: grid;
        gap: 1rem;
        padding-bottom: 0.75rem;
      }
      p {
        margin: 0;
      }
      .check {
        grid-template-columns: auto 1fr;
        gap: 0.75rem;
        align-items: center;
      }
      [type='checkbox'] {
        width: 1.4rem;
        height: 1.4rem;
        margin: 0;
        accent-color: var(--accent);
      }
      .quiet {
        color: var(--quiet);
      }
    `,
  ];

  @property({ attribute: false }) room: Room | null = null;
  @property({ attribute: false }) base: URL | null = null;

  @state() private isOpen = false;
  /** Whoever has the link need not be told the PIN. */
  @state() private isPinShown = false;
  @state() private info: RelayInfo | null = null;

  protected override updated(changes: PropertyValues): void {
    if (changes.has('isOpen') && this.isOpen && !this.info) void this.learn();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.room || !this.base) return nothing;
    return html`<details @toggle=${this.toggled}>
      <summary>${t('invite')}</summary>
      ${this.isOpen && this.info ? this.renderWays(this.room, this.base, this.info) : nothing}
    </details>`;
  }

  private renderWays({ id, url, pin }: Room, base: URL, info: RelayInfo): TemplateResult {
    const path = tokenPath(base);
    const outer = addresses(info, path, location.hostname);
    // This very page, unless no other device could open it.
    const page = isLoopback(location.hostname) ? outer.page : new URL('.', location.href).href;
    const known = pin ? pinOf(id) : '';
    const withPin = known && this.isPinShown ? { pin: known } : {};
    const link = `${page}${hashOf({ view: 'room', id, ...withPin })}`;
    const player = new URL(url, outer.player.slice(0, outer.player.indexOf('stream/'))).href;
    return html`<div class="ways">
      ${known
        ? html`<p id="pin">${t('pinIs', { pin: known })}</p>
            <label class="check"><input id="link-pin" type="checkbox" .checked=${this.isPinShown} @change=${this.pinToggled} /> ${t('linkPin')}</label>`
        : nothing}
      <qr-code text=${link} label=${t('qr')}></qr-code>
      <copy-text id="link" value=${link} label=${t('link')}><p>${t('link')}</p></copy-text>
      <copy-text id="player" value=${player} label=${t('player')}>
        <p>${t('player')}<br /><span class="quiet">${t('playerHint')}</span></p>
      </copy-text>
    </div>`;
  }

  private async learn(): Promise<void> {
    if (this.base) this.info = (await askRelay<RelayInfo>(this.base, 'api/info'))?.body ?? null;
  }

  private readonly pinToggled = (event: Event): void => {
    this.isPinShown = (event.target as HTMLInputElement).checked;
  };

  private readonly toggled = (event: Event): void => {
    this.isOpen = (event.target as HTMLDetailsElement).open;
  };
}
