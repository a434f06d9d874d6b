// A QR code, drawn here. Dark on white in every theme, since many cameras read nothing else.

import { css, html, LitElement, nothing, svg, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

/** Modules of white around the code, which the standard asks for. */
const BORDER = 4;

@customElement('qr-code')
export class QrCode extends LitElement {
  static override styles = css`
    :host {
      display: block;
      width: min(100%, 13rem);
      aspect-ratio: 1;
    }
    svg {
      box-sizing: border-box;
      display: block;
      width: 100%;
      border: 1px solid var(--line);
      border-radius: 0.5rem;
      background: #fff;
    }
  `;

  /** What the code says. */
  @property() text = '';
  @property() label = '';

  @state() private modules: boolean[][] = [];

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('text') && this.text) void this.encode(this.text);
  }

  protected override render() {
    const size = this.modules.length;
    if (!size) return nothing;
    const dark = this.modules.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])));
    return html`
      <svg role="img" aria-label=${this.label} viewBox="0 0 ${size} ${size}" shape-rendering="crispEdges">
        ${svg`<path fill="#000" d=${dark.join('')} />`}
      </svg>
    `;
  }

  private async encode(text: string): Promise<void> {
    const { encode } = await import('uqr');
    if (text === this.text) this.modules = encode(text, { border: BORDER, ecc: 'M' }).data;
  }
}
