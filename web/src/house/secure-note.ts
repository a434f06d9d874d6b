// By plain http a page gets no microphone: what works here, and the way to the page that does.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { askRelay } from '../lib/relay-info';
import { houseWords as t } from '../messages/house';
import { hashOf } from '../pages/routes';

declare global {
  interface HTMLElementTagNameMap {
    'secure-note': SecureNote;
  }
}

@customElement('secure-note')
export class SecureNote extends LitElement {
  static override styles = css`
    :host {
      display: contents;
    }
    section {
      display: grid;
      gap: 0.6rem;
      justify-items: start;
      padding: 1rem;
      border: 1px solid var(--line);
      border-radius: 0.9rem;
      background: var(--surface);
    }
    p {
      margin: 0;
    }
    a {
      color: var(--accent);
    }
    a:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 2px;
    }
    #secure {
      padding: 0.7rem 1.1rem;
      border-radius: 0.75rem;
      background: var(--accent);
      color: var(--on-accent);
      font-weight: 600;
      text-decoration: none;
    }
  `;

  /** Where the relay's page lives. */
  @property({ attribute: false }) base: URL = new URL('.', document.baseURI);

  /** Port of the relay's https address; null where it has none, undefined until it has told. */
  @state() private tlsPort: number | null | undefined;

  protected override firstUpdated(): void {
    void askRelay<{ tls_port?: number | null }>(this.base, 'health').then((health) => {
      this.tlsPort = health?.body.tls_port ?? null;
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    const { tlsPort } = this;
    if (tlsPort === undefined) return nothing;
    if (tlsPort === null) return html`<section id="insecure" role="status"><p>${t('insecureNoTls')}</p></section>`;
    const page = new URL(location.href);
    page.protocol = 'https:';
    page.port = String(tlsPort);
    return html`<section id="insecure" role="status">
      <p>${t('insecure')}</p>
      <a id="secure" href=${page.href}>${t('secure')}</a>
      <a href=${hashOf({ view: 'trust' })}>${t('secureHint')}</a>
    </section>`;
  }
}
