// The guide to a secure page: what to install on which device, what to compare, and what it means.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { STEPS, t } from '../messages/trust';
import { partStyles } from '../ui/part.styles';
import type { HouseSession } from '../house/house-session';
import { type Device, deviceOf, DEVICES, secureAddress, type TrustFacts } from '../lib/trust';

declare global {
  interface HTMLElementTagNameMap {
    'trust-page': TrustPage;
  }
}

@customElement('trust-page')
export class TrustPage extends LitElement {
  static override styles = [
    partStyles,
    css`
      section > p:first-child {
        margin-top: 0;
      }
      details {
        border-top: 1px solid var(--line);
      }
      details:first-of-type {
        border-top: 0;
      }
      summary {
        padding: 0.7rem 0;
        font-weight: 600;
        cursor: pointer;
      }
      ol {
        margin: 0 0 0.7rem;
        padding-left: 1.4rem;
      }
      ol li {
        display: list-item;
        padding: 0.25rem 0;
        border: 0;
      }
      code {
        overflow-wrap: anywhere;
      }
      section > p:last-child {
        margin-bottom: 0;
      }
    `,
  ];

  /** Whose relay it is. */
  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private facts: TrustFacts | null = null;
  @state() private hasFailed = false;

  override connectedCallback(): void {
    super.connectedCallback();
    void this.learn();
  }

  private async learn(): Promise<void> {
    try {
      this.facts = (await (await fetch(this.address('api/trust'))).json()) as TrustFacts;
      this.hasFailed = false;
    } catch {
      this.hasFailed = true;
    }
  }

  protected override render(): TemplateResult {
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        <section>
          <p>${t('why')}</p>
          ${this.facts ? this.renderOffer(this.facts) : html`<p role="status">${t(this.hasFailed ? 'failed' : 'loading')}</p>`}
        </section>
        ${this.facts?.authority ? this.renderGuide(this.facts, this.facts.authority) : nothing}
      </main>
    `;
  }

  private renderOffer(facts: TrustFacts): TemplateResult {
    const address = secureAddress(facts, location.hostname);
    if (address === null) return html`<p id="off">${t('off')}</p>`;
    const isSecure = location.protocol === 'https:';
    return html`
      ${facts.authority ? nothing : html`<p id="foreign">${t('foreign')}</p>`}
      ${isSecure ? html`<p id="secure">${t('secure')}</p>` : nothing}
      <p id="secure-link">${renderLink(address)}</p>
    `;
  }

  private renderGuide(facts: TrustFacts, authority: NonNullable<TrustFacts['authority']>): TemplateResult {
    const address = secureAddress(facts, location.hostname);
    const atHand = deviceOf(navigator.userAgent, navigator.maxTouchPoints);
    const devices = [atHand, ...DEVICES.filter((device) => device !== atHand)];
    return html`
      <section aria-label=${t('steps')}>${devices.map((device) => this.renderSteps(device, device === atHand, address))}</section>
      <section>
        <h2>${t('fingerprint')}</h2>
        <p><code id="fingerprint">${authority.fingerprint}</code></p>
        <p class="note">${t('compare')}</p>
      </section>
      <section>
        <h2>${t('meaning')}</h2>
        <p>${t('meaningTrust')}</p>
        <p id="confines">${t('meaningLimit', { confines: authority.confines.map(inWords).join(', ') })}</p>
        <p>${t('meaningKey')}</p>
      </section>
    `;
  }

  private renderSteps(device: Device, isAtHand: boolean, address: string | null): TemplateResult {
    const [file, words] = device === 'ios' ? (['ca.mobileconfig', 'profile'] as const) : (['ca.crt', 'certificate'] as const);
    return html`
      <details ?open=${isAtHand} data-device=${device}>
        <summary>${t(device)}</summary>
        <ol>
          <li><a href=${this.address(file)}>${t(words)}</a></li>
          ${STEPS[device].map((step) => html`<li>${t(step)}</li>`)}
          ${address === null ? nothing : html`<li>${renderLink(address)}</li>`}
          <li>${t('last')}</li>
        </ol>
      </details>
    `;
  }

  /** Next to the page, also below a path of somebody else's. */
  private address(file: string): string {
    return new URL(file, this.session?.base ?? document.baseURI).href;
  }
}

function renderLink(address: string): TemplateResult {
  return html`${t('open')}: <a href=${address} target="_top">${address}</a>`;
}

/** A domain means all that is below it, too. */
function inWords(confine: string): string {
  return confine === 'local' ? '*.local' : confine;
}
