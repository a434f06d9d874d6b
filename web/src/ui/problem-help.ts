// Why talking is not possible, and the ways out that there are on this device.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { t } from '../messages/problem-help';
import { problemInWords, waysOut, type WayOut } from '../messages/problems';
import type { Problem } from '../session/problem';

declare global {
  interface HTMLElementTagNameMap {
    'problem-help': ProblemHelp;
  }
}

@customElement('problem-help')
export class ProblemHelp extends LitElement {
  static override styles = css`
    :host {
      display: contents;
    }
    section {
      padding: 1rem;
      border: 1px solid color-mix(in srgb, var(--live) 45%, var(--line));
      border-radius: 0.9rem;
      background: color-mix(in srgb, var(--live) 6%, var(--surface));
    }
    h2,
    p,
    ul {
      margin: 0;
    }
    h2 {
      font-size: 1rem;
    }
    p,
    li {
      margin-top: 0.5rem;
    }
    ul {
      padding-left: 1.2rem;
    }
    ul:has(li:only-child) {
      padding: 0;
      list-style: none;
    }
    a {
      display: inline-block;
      padding: 0.6rem 0;
      color: var(--accent);
      overflow-wrap: anywhere;
    }
    a:focus-visible {
      outline: 3px solid var(--accent);
      outline-offset: 2px;
    }
    .quiet {
      color: var(--quiet);
    }
  `;

  /** What stands in the way. */
  @property({ attribute: false }) problem: Problem | null = null;
  /** Others hear us all the same: it was another microphone that could not be had. */
  @property({ type: Boolean }) heard = false;
  /** Where the relay's page lives. */
  @property({ attribute: false }) base: URL = new URL('.', document.baseURI);

  @state() private tlsPort: number | null = null;

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('problem') && this.problem?.code === 'insecure') void this.learnPort();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.problem) return nothing;
    const page = new URL(location.href);
    const ways = waysOut(this.problem.code, { page, tlsPort: this.tlsPort, userAgent: navigator.userAgent });
    return html`
      <section id="obstacle" role="alert">
        <h2>${t(this.heard ? 'heard' : 'title')}</h2>
        <p>${problemInWords(this.problem)}</p>
        ${ways.length ? html`<ul>${ways.map((way) => html`<li>${renderWay(way)}</li>`)}</ul>` : nothing}
        ${this.heard ? nothing : html`<p class="quiet">${t('listening')}</p>`}
      </section>
    `;
  }

  private async learnPort(): Promise<void> {
    try {
      const health = (await (await fetch(new URL('health', this.base))).json()) as { tls_port?: unknown };
      this.tlsPort = typeof health.tls_port === 'number' ? health.tls_port : null;
    } catch {
      // The other ways are shown all the same.
    }
  }
}

/** Words with their address in place, or words that are the link themselves. */
function renderWay({ words, address }: WayOut): TemplateResult {
  if (address === undefined) return html`${words}`;
  const [before, after] = words.split('{address}');
  const link = after === undefined ? words : address;
  const anchor = html`<a href=${address} target="_blank" rel="noopener">${link}</a>`;
  return after === undefined ? anchor : html`${before}${anchor}${after}`;
}
