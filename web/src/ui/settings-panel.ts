// What a person chooses on this device: name, devices, processing of the voice; and tests of both devices.

import { html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import './level-meter';
import { problemInWords } from '../messages/problems';
import { t } from '../messages/settings';
import { NAME_LENGTH } from '../rooms/room-protocol';
import type { Choices } from '../session/choices';
import type { AudioDevice } from '../session/devices';
import { microphoneObstacle, MicrophoneError, openMicrophone } from '../session/microphone';
import type { HouseSession } from '../house/house-session';
import { settingsStyles } from './settings-panel.styles';
import { SessionWatch } from './watch-session';

declare global {
  interface HTMLElementTagNameMap {
    'settings-panel': SettingsPanel;
  }
}

const SWITCHES = ['echoCancellation', 'noiseSuppression', 'autoGainControl'] as const;

@customElement('settings-panel')
export class SettingsPanel extends LitElement {
  static override styles = settingsStyles;

  /** Whose choices these are. */
  @property({ attribute: false }) session: HouseSession | null = null;

  /** Whether it is open at first. */
  @property({ type: Boolean }) open = false;

  /** The microphone under test. Only the person who tests it sees its level. */
  @state() private tested: MediaStreamTrack | null = null;
  @state() private testProblem = '';
  /** Grows with every test's begin and end, so that a microphone that opens too late is closed. */
  private round = 0;

  private readonly endTest = () => {
    this.round++;
    this.tested?.stop();
    this.tested = null;
  };

  constructor() {
    super();
    new SessionWatch(this);
  }

  override connectedCallback(): void {
    super.connectedCallback();
    window.addEventListener('pagehide', this.endTest);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    window.removeEventListener('pagehide', this.endTest);
    this.endTest();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.session) return nothing;
    const choices = this.session.choices;
    return html`
      <details ?open=${this.open} @toggle=${this.toggled}>
        <summary>${t('title')}</summary>
        ${this.renderName(choices)} ${this.renderDevices(choices)}
        ${SWITCHES.map((key) => this.renderSwitch(key, choices[key]))} ${this.renderTests()}
      </details>
    `;
  }

  private renderName({ name }: Choices): TemplateResult {
    const choose = (event: Event) => {
      this.session?.choose({ name: (event.target as HTMLInputElement).value.trim() });
    };
    return html`
      <label class="field">
        ${t('name')}
        <input id="name" maxlength=${NAME_LENGTH} autocomplete="nickname" enterkeyhint="done" aria-describedby="name-hint"
          .value=${name} @change=${choose} />
      </label>
      <p id="name-hint">${t('nameHint')}</p>
    `;
  }

  private renderDevices(choices: Choices): TemplateResult {
    const devices = this.session?.view.devices;
    return html`
      ${this.renderDevice('microphone', devices?.microphones ?? [], choices)}
      ${this.renderDevice('loudspeaker', devices?.loudspeakers ?? [], choices)}
    `;
  }

  private renderDevice(key: 'microphone' | 'loudspeaker', devices: AudioDevice[], choices: Choices): TemplateResult | typeof nothing {
    if (!devices.length) return nothing;
    const choose = (event: Event) => {
      this.session?.choose({ [key]: (event.target as HTMLSelectElement).value });
    };
    return html`
      <label class="field">
        ${t(key)}
        <select id=${key} @change=${choose}>
          <option value="" ?selected=${choices[key] === ''}>${t('default')}</option>
          ${devices.map(({ id, label }) => html`<option value=${id} ?selected=${choices[key] === id}>${label || t(key)}</option>`)}
        </select>
      </label>
    `;
  }

  private renderSwitch(key: (typeof SWITCHES)[number], on: boolean): TemplateResult {
    const choose = (event: Event) => {
      this.session?.choose({ [key]: (event.target as HTMLInputElement).checked });
    };
    return html`
      <label class="switch">
        <span>${t(key)}</span>
        <input id=${key} type="checkbox" role="switch" .checked=${on} @change=${choose} />
      </label>
    `;
  }

  private renderTests(): TemplateResult {
    return html`
      <div class="tests">
        <button id="test-sound" type="button" @click=${() => void this.session?.testSound()}>${t('testSound')}</button>
        <button id="test-microphone" type="button" aria-pressed=${this.tested !== null}
          ?disabled=${microphoneObstacle() !== null} @click=${this.tested ? this.endTest : this.test}>
          ${this.tested ? t('endTest') : t('testMicrophone')}
        </button>
      </div>
      ${this.tested
        ? html`<level-meter .track=${this.tested} aria-label=${t('level')}></level-meter>
            <p role="status">${t('testHint')}</p>`
        : nothing}
      ${this.testProblem ? html`<p role="alert">${this.testProblem}</p>` : nothing}
    `;
  }

  private readonly toggled = (event: Event) => {
    if (!(event.target as HTMLDetailsElement).open) this.endTest();
  };

  private readonly test = async () => {
    const session = this.session;
    if (!session) return;
    const round = ++this.round;
    this.testProblem = '';
    try {
      const track = await openMicrophone(session.choices);
      if (round === this.round) this.tested = track;
      else track.stop();
    } catch (error) {
      if (error instanceof MicrophoneError) this.testProblem = problemInWords(error.problem);
    }
  };
}
