// What a person chooses on this device, on a page of its own.

import { html, LitElement, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import type { HouseSession } from '../house/house-session';
import { t } from '../messages/settings';
import { partStyles } from '../ui/part.styles';
import '../ui/settings-panel';

declare global {
  interface HTMLElementTagNameMap {
    'settings-page': SettingsPage;
  }
}

@customElement('settings-page')
export class SettingsPage extends LitElement {
  static override styles = partStyles;

  @property({ attribute: false }) session: HouseSession | null = null;

  protected override render(): TemplateResult {
    return html`<main>
      <header>
        <a class="back" href="#/">${t('back')}</a>
        <h1 tabindex="-1">${t('settings')}</h1>
      </header>
      <section><settings-panel open .session=${this.session}></settings-panel></section>
    </main>`;
  }
}
