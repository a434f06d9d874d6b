// The pictures of a room: all of one size, or whoever talks large and the others small; and the buttons of our own camera
// and screen. What nobody can see on this screen is not asked for.

import { html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { repeat } from 'lit/directives/repeat.js';

import { videoWords as t } from '../messages/video';
import type { RoomSession } from '../rooms/room-session';
import { cameraIcon, screenIcon, turnIcon } from '../ui/icons';
import { canShareScreen, hasSeveralCameras } from './camera';
import { RoomVideo, type Picture, type SeenTile, type VideoView } from './room-video';
import { SpeakerChoice } from './speaker-choice';
import { videoStageStyles } from './video-stage.styles';
import './video-tile';
import type { VideoTile } from './video-tile';

@customElement('video-stage')
export class VideoStage extends LitElement {
  static override styles = videoStageStyles;

  @property({ attribute: false }) session: RoomSession | null = null;

  @state() private view: VideoView | null = null;
  /** Whether whoever talks is large. */
  @state() private isSpeakerView = false;
  @state() private isVoiceOnly = false;
  @state() private canTurn = false;
  private readonly speaker = new SpeakerChoice();
  private readonly visible = new Set<Element>();
  private video: RoomVideo | null = null;
  private readonly sight = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      if (isIntersecting) this.visible.add(target);
      else this.visible.delete(target);
    }
    this.see();
  });
  private readonly sizes = new ResizeObserver(() => {
    this.see();
  });
  private readonly follow = () => {
    this.view = this.video?.view ?? null;
    this.dataset.camera = this.view?.camera ?? 'off';
    this.dataset.screen = this.view?.screen ?? 'off';
  };

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.end();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.session) this.begin(this.session);
  }

  /** The room's video, for tests. */
  get roomVideo(): RoomVideo | null {
    return this.video;
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('session') && this.session) this.begin(this.session);
    const tiles = this.tiles;
    for (const tile of tiles) {
      this.sight.observe(tile);
      this.sizes.observe(tile);
    }
    const here = new Set<Element>(tiles);
    for (const gone of [...this.visible].filter((tile) => !here.has(tile))) this.visible.delete(gone);
    this.see();
  }

  private begin(session: RoomSession): void {
    this.end();
    this.video = new RoomVideo(session);
    this.video.addEventListener('change', this.follow);
    void hasSeveralCameras().then((several) => {
      this.canTurn = several;
    });
    this.follow();
  }

  private end(): void {
    this.video?.removeEventListener('change', this.follow);
    this.video?.close();
    this.video = null;
    this.sight.disconnect();
    this.sizes.disconnect();
    this.visible.clear();
  }

  private get tiles(): VideoTile[] {
    return [...this.renderRoot.querySelectorAll('video-tile')];
  }

  /** Says what is seen: the large one is wanted most, then screens, then the others as they are on the page. */
  private see(): void {
    const rank = (tile: VideoTile) => (tile.classList.contains('large') ? 0 : tile.picture?.kind === 'screen' ? 1 : 2);
    const seen = this.tiles
      .filter(({ picture }) => picture && !picture.you)
      .sort((one, other) => rank(one) - rank(other))
      .map((tile): SeenTile => ({
        key: tile.picture?.key ?? '',
        height: this.visible.has(tile) ? Math.round(tile.clientHeight * devicePixelRatio) : 0,
      }));
    this.video?.see(this.isVoiceOnly ? [] : seen);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { view } = this;
    if (!view) return nothing;
    const pictures = this.isVoiceOnly ? view.pictures.filter(({ you }) => you) : view.pictures;
    const large = this.isSpeakerView ? this.speaker.choose(pictures, performance.now()) : null;
    return html`
      <h2>${t('video')}</h2>
      <div class="pictures ${large ? 'speaker' : 'grid'}" data-count=${pictures.length}>
        ${repeat(pictures, ({ key }) => key, (picture) => this.renderTile(picture, picture.key === large))}
      </div>
      ${this.renderButtons(view)}
      ${view.problem ? html`<p role="alert" id="video-problem">${t(wordsOf(view.problem.problem.code), { detail: view.problem.problem.detail })}</p>` : nothing}
    `;
  }

  private renderTile(picture: Picture, isLarge: boolean): TemplateResult {
    const enlarge = () => {
      this.speaker.pin(picture.key);
      this.isSpeakerView = true;
      this.requestUpdate();
    };
    return html`<video-tile class=${isLarge ? 'large' : ''} .picture=${picture} .base=${this.session?.base ?? null} @enlarge=${enlarge}></video-tile>`;
  }

  private renderButtons({ camera, screen, pictures }: VideoView): TemplateResult {
    const { video } = this;
    const toggleCamera = () => {
      if (camera === 'live') video?.stop('camera');
      else void video?.showCamera();
    };
    const toggleScreen = () => {
      if (screen === 'live') video?.stop('screen');
      else void video?.showScreen();
    };
    return html`<div class="actions">
      <button id="camera" type="button" aria-pressed=${camera === 'live'} ?disabled=${camera === 'opening'} @click=${toggleCamera}>
        ${cameraIcon}<span>${camera === 'live' ? t('cameraOff') : camera === 'opening' ? t('cameraOpening') : t('cameraOn')}</span>
      </button>
      ${camera === 'live' && this.canTurn
        ? html`<button id="turn" type="button" @click=${() => void video?.turn()}>${turnIcon}<span>${t('turn')}</span></button>`
        : nothing}
      ${canShareScreen()
        ? html`<button id="screen" type="button" aria-pressed=${screen === 'live'} ?disabled=${screen === 'opening'} @click=${toggleScreen}>
            ${screenIcon}<span>${screen === 'live' ? t('screenOff') : t('screenOn')}</span>
          </button>`
        : nothing}
      ${pictures.length > 1
        ? html`<button id="layout" type="button" aria-pressed=${this.isSpeakerView} @click=${() => { this.toggleLayout(); }}>
            ${this.isSpeakerView ? t('grid') : t('speaker')}
          </button>`
        : nothing}
      ${pictures.some(({ you }) => !you) || this.isVoiceOnly
        ? html`<button id="voice-only" type="button" aria-pressed=${this.isVoiceOnly} @click=${() => { this.isVoiceOnly = !this.isVoiceOnly; }}>
            ${t('voiceOnly')}
          </button>`
        : nothing}
    </div>`;
  }

  private toggleLayout(): void {
    this.speaker.pin(null);
    this.isSpeakerView = !this.isSpeakerView;
  }
}

const CAMERA_PROBLEMS = ['denied', 'missing', 'busy', 'unplugged', 'policy', 'insecure', 'unsupported'] as const;

function wordsOf(code: string): (typeof CAMERA_PROBLEMS)[number] | 'unknown' {
  return CAMERA_PROBLEMS.find((known) => known === code) ?? 'unknown';
}
