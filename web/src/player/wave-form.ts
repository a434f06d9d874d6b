// The loudness of a file from its beginning to its end, what of it has been heard, and what is here already.

import { css, html, LitElement, unsafeCSS } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';

const HEIGHT = 72;

/** Height of the line below that shows what is here. */
const LINE = 4;

/** What has not come, or is silent, is a point of so many pixels. */
const LEAST = 2;

@customElement('wave-form')
export class WaveForm extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: ${unsafeCSS(HEIGHT)}px;
    }
    canvas {
      display: block;
      width: 100%;
      height: 100%;
    }
  `;

  /** From 0 to 1. */
  @property({ attribute: false }) columns: Float32Array = new Float32Array(0);
  /** What is here, in shares of the whole. */
  @property({ attribute: false }) buffered: readonly (readonly [number, number])[] = [];
  /** What has been heard, as a share of the whole. */
  @property({ type: Number }) heard = 0;

  @query('canvas') private canvas!: HTMLCanvasElement;
  private readonly size = new ResizeObserver(() => {
    this.draw();
  });

  override connectedCallback(): void {
    super.connectedCallback();
    this.size.observe(this);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.size.disconnect();
  }

  protected override render() {
    // The slider over it says the same to those who do not see it.
    return html`<canvas aria-hidden="true"></canvas>`;
  }

  protected override updated(): void {
    this.draw();
  }

  private draw(): void {
    const { canvas, clientWidth: width } = this;
    const scale = window.devicePixelRatio;
    [canvas.width, canvas.height] = [width * scale, HEIGHT * scale];
    const pen = canvas.getContext('2d');
    if (!pen) return;
    pen.scale(scale, scale);
    // Asked at every drawing, so that it follows from light to dark.
    const style = getComputedStyle(this);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    this.drawColumns(pen, width, colour('--accent'), colour('--quiet'));
    pen.fillStyle = colour('--level');
    for (const [from, to] of this.buffered) pen.fillRect(from * width, HEIGHT - LINE, (to - from) * width, LINE);
  }

  private drawColumns(pen: CanvasRenderingContext2D, width: number, heard: string, coming: string): void {
    const { columns } = this;
    const step = width / columns.length;
    const room = HEIGHT - 2 * LINE;
    for (const [index, loudness] of columns.entries()) {
      const height = Math.max(loudness * room, LEAST);
      pen.fillStyle = (index + 0.5) / columns.length < this.heard ? heard : coming;
      pen.fillRect(index * step, (room - height) / 2, Math.max(step - 1, 1), height);
    }
  }
}
