// A small chart of the last minute of one number. The library that draws comes when the first is shown.

import { css, html, LitElement, unsafeCSS } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';
import type UPlot from 'uplot';

import { WINDOW } from '../lib/connection-log';

const HEIGHT = 44;

@customElement('live-chart')
export class LiveChart extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: ${unsafeCSS(HEIGHT)}px;
      min-width: 5rem;
      border-bottom: 1px solid var(--line);
    }
    div {
      height: 100%;
      overflow: hidden;
    }
  `;

  /** The newest is the last. */
  @property({ attribute: false }) values: readonly (number | null)[] = [];
  /** The top of the chart is never lower than this, so that small numbers look small. */
  @property({ type: Number }) top = 1;
  /** What the chart shows, for those who do not see it. */
  @property() label = '';

  @query('div') private frame!: HTMLDivElement;
  private chart: UPlot | null = null;
  private readonly size = new ResizeObserver(() => {
    this.chart?.setSize({ width: this.clientWidth, height: HEIGHT });
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
    return html`<div role="img" aria-label=${this.label}></div>`;
  }

  protected override firstUpdated(): void {
    void this.load();
  }

  protected override updated(): void {
    this.chart?.setData(this.points());
  }

  private async load(): Promise<void> {
    const [{ default: Chart }, sheet] = await Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css?inline')]);
    const style = new CSSStyleSheet();
    style.replaceSync(sheet.default);
    this.shadowRoot?.adoptedStyleSheets.push(style);
    // Asked at every drawing, so that the chart follows from light to dark.
    const colour = (name: string) => () => getComputedStyle(this).getPropertyValue(name).trim();
    this.chart = new Chart(
      {
        width: this.clientWidth,
        height: HEIGHT,
        padding: [3, 0, 2, 0],
        legend: { show: false },
        cursor: { show: false },
        axes: [{ show: false }, { show: false }],
        scales: {
          x: { time: false, range: [0, WINDOW - 1] },
          y: { range: (_chart, _least, most) => [0, Math.max(this.top, most * 1.1)] },
        },
        series: [{}, { stroke: colour('--accent'), width: 2, points: { show: false }, spanGaps: false }],
      },
      this.points(),
      this.frame,
    );
  }

  /** Newest at the right edge; what was before the first is left open. */
  private points(): UPlot.AlignedData {
    const values = this.values.slice(-WINDOW);
    const first = WINDOW - values.length;
    return [values.map((_value, index) => first + index), [...values]];
  }
}
