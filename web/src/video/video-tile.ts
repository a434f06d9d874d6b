// One picture, with the name of whoever shows it; without a picture, how they look, and why there is none.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, query } from 'lit/decorators.js';

import { videoWords as t } from '../messages/video';
import type { Picture } from './room-video';
import { videoTileStyles } from './video-tile.styles';

declare global {
  interface HTMLElementTagNameMap {
    'video-tile': VideoTile;
  }
}

@customElement('video-tile')
export class VideoTile extends LitElement {
  static override styles = videoTileStyles;

  @property({ attribute: false }) picture: Picture | null = null;
  /** Where the relay's page lives. */
  @property({ attribute: false }) base: URL | null = null;

  @query('video') private video!: HTMLVideoElement | null;

  protected override updated(changes: PropertyValues<this>): void {
    if (!changes.has('picture')) return;
    const stream = this.picture?.stream ?? null;
    const { video } = this;
    if (video && video.srcObject !== stream) {
      video.srcObject = stream;
      if (stream) void video.play().catch(() => undefined);
    }
    Object.assign(this.dataset, { state: this.picture?.state ?? '', kind: this.picture?.kind ?? '', who: this.picture?.who ?? '' });
  }

  protected override render(): TemplateResult | typeof nothing {
    const { picture } = this;
    if (!picture) return nothing;
    const { kind, you, talking, state } = picture;
    const name = this.nameOf(picture);
    return html`
      <figure class=${[kind, you && kind === 'camera' ? 'mirrored' : '', talking ? 'talking' : ''].join(' ')}>
        ${state === 'playing' ? nothing : this.renderFace(picture)}
        <video muted playsinline autoplay ?hidden=${state !== 'playing'} aria-label=${name}></video>
        <figcaption>${name}</figcaption>
        <div class="tools">
          <button type="button" class="enlarge" aria-label=${t('large', { name })} title=${t('large', { name })} @click=${() => this.dispatchEvent(new Event('enlarge'))}>⤢</button>
          ${state === 'playing' ? this.renderTools(name) : nothing}
        </div>
      </figure>
    `;
  }

  private nameOf({ name, kind, you }: Picture): string {
    if (kind === 'screen') return t('screenOf', { name });
    return you ? t('you', { name }) : name;
  }

  private renderFace({ name, user, state }: Picture): TemplateResult {
    const hide = ({ target }: Event) => {
      (target as HTMLElement).hidden = true;
    };
    return html`
      <div class="face" aria-hidden="true">
        ${Array.from(name.trim())[0]?.toUpperCase() ?? '?'}
        ${user && this.base ? html`<img src=${new URL(`api/people/${user}/picture`, this.base).href} alt="" @error=${hide} />` : nothing}
      </div>
      ${state === 'playing' ? nothing : html`<p class="state" role="status">${t(state)}</p>`}
    `;
  }

  private renderTools(name: string): TemplateResult {
    return html`
      <button type="button" class="full" aria-label=${t('fullScreen')} title=${t('fullScreen')} @click=${() => void this.requestFullscreen().catch(() => undefined)}>⛶</button>
      ${document.pictureInPictureEnabled
        ? html`<button type="button" class="apart" aria-label=${t('apart')} title=${t('apart')} @click=${() => void this.video?.requestPictureInPicture().catch(() => undefined)}>⧉</button>`
        : nothing}
      <button type="button" class="snapshot" aria-label=${t('snapshot')} title=${t('snapshot')} @click=${() => { this.save(name); }}>⤓</button>
    `;
  }

  /** Saves the picture of this moment as a file. */
  private save(name: string): void {
    const { video } = this;
    if (!video?.videoWidth) return;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext('2d')?.drawImage(video, 0, 0);
    const link = document.createElement('a');
    link.href = canvas.toDataURL('image/jpeg', 0.92);
    link.download = `${name} ${new Date().toLocaleString(document.documentElement.lang).replace(/[:/]/g, '-')}.jpg`;
    link.click();
  }
}
