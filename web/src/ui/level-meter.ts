// A level meter: of a track of ours, measured here, or of a level that is given.

import { css, html, LitElement, type PropertyValues } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { decibelsOf, shareOfDecibels } from '../lib/loudness';

const WINDOW_SAMPLES = 1_024;

@customElement('level-meter')
export class LevelMeter extends LitElement {
  static override styles = css`
    :host {
      display: block;
      height: 0.5rem;
      border-radius: 0.25rem;
      background: var(--line);
      overflow: hidden;
    }
    div {
      height: 100%;
      background: var(--level);
      transform-origin: left;
      transition: transform 80ms linear;
    }
    @media (prefers-reduced-motion: reduce) {
      div {
        transition: none;
      }
    }
  `;

  /** Measures this track. */
  @property({ attribute: false }) track: MediaStreamTrack | null = null;
  /** Shows this level, in decibels, when there is no track. */
  @property({ type: Number }) level = -127;

  @state() private measured = -127;
  private context: AudioContext | null = null;
  private frame = 0;

  override connectedCallback(): void {
    super.connectedCallback();
    this.role = 'meter';
    this.ariaValueMin = '0';
    this.ariaValueMax = '100';
    // Whoever stopped it by taking it out of the page has the same track still.
    if (this.hasUpdated && this.track) this.start(this.track);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
  }

  protected override updated(changes: PropertyValues<this>): void {
    // A property: the page's policy allows no style in attributes.
    const bar = this.renderRoot.querySelector('div');
    if (bar) bar.style.transform = `scaleX(${this.share.toFixed(3)})`;
    // In steps of ten, since nobody reads them out as fast as they change.
    this.ariaValueNow = String(Math.round(this.share * 10) * 10);
    if (!changes.has('track')) return;
    this.stop();
    if (this.track) this.start(this.track);
  }

  protected override render() {
    return html`<div></div>`;
  }

  private get share(): number {
    return shareOfDecibels(this.track ? this.measured : this.level);
  }

  private start(track: MediaStreamTrack): void {
    const context = new AudioContext();
    const analyser = new AnalyserNode(context, { fftSize: WINDOW_SAMPLES });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const measure = () => {
      analyser.getFloatTimeDomainData(samples);
      this.measured = decibelsOf(samples);
      this.frame = requestAnimationFrame(measure);
    };
    this.context = context;
    measure();
  }

  private stop(): void {
    cancelAnimationFrame(this.frame);
    void this.context?.close();
    this.context = null;
    this.measured = -127;
  }
}
