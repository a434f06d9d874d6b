// Links for those who are not signed in to Home Assistant, or live elsewhere: what they permit, for how long,
// and how to revoke them.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, query, state } from 'lit/decorators.js';

import '../ui/copy-text';
import { spoken } from '../lib/i18n';
import { shareWords as t } from '../messages/share';
import { fieldStyles } from '../ui/field.styles';
import { partStyles } from '../ui/part.styles';
import '../ui/qr-code';
import { askRelay, type RelayInfo } from '../lib/relay-info';
import type { HouseSession } from '../house/house-session';
import { makeLink, revokeLink, type SharedLink } from '../lib/share-link';

declare global {
  interface HTMLElementTagNameMap {
    'share-page': SharePage;
  }
}

const LIVES = [
  { days: 1, words: 'day' },
  { days: 7, words: 'week' },
  { days: 30, words: 'month' },
  { days: 365, words: 'year' },
] as const;

const USUAL_DAYS = 30;

@customElement('share-page')
export class SharePage extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      form {
        display: grid;
        gap: 1rem;
        margin: 1.25rem 0;
      }
      #who-hint {
        margin-top: -0.6rem;
      }
      #made {
        display: grid;
        gap: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  @state() private made: SharedLink | null = null;
  /** How it goes, in words. */
  @state() private said = '';
  @state() private isBusy = false;
  @state() private info: RelayInfo | null = null;
  @query('form') private form!: HTMLFormElement;

  protected override render(): TemplateResult {
    return html`
      <main>
        <header>
          <a class="back" href="#/">${t('back')}</a>
          <h1 tabindex="-1">${t('title')}</h1>
        </header>
        <section>
          <p class="note">${t('note')}</p>
          <form @submit=${this.make}>
            <label>${t('who')} <input name="name" maxlength="64" autocomplete="off" aria-describedby="who-hint" /></label>
            <p class="note" id="who-hint">${t('whoHint')}</p>
            <label>
              ${t('may')}
              <select name="may">
                <option value="listen">${t('listen')}</option>
                <option value="talk">${t('talkAndListen')}</option>
              </select>
            </label>
            <label>
              ${t('days')}
              <select name="days">
                ${LIVES.map(({ days, words }) => html`<option value=${days} ?selected=${days === USUAL_DAYS}>${t(words)}</option>`)}
              </select>
            </label>
            <div class="buttons"><button id="make" ?disabled=${this.isBusy}>${t('make')}</button></div>
          </form>
          <p class="note">${t('away')}</p>
        </section>
        <p class="note" id="said" role="status">${this.said}</p>
        ${this.made ? this.renderLink(this.made) : nothing}
      </main>
    `;
  }

  private renderLink({ page, player, expires }: SharedLink): TemplateResult {
    const date = expires.toLocaleDateString(spoken(), { dateStyle: 'long' });
    return html`
      <section id="made">
        <qr-code text=${page} label=${t('qr')}></qr-code>
        <copy-text id="link" value=${page} label=${t('link')}></copy-text>
        <h2>${t('player')}</h2>
        <copy-text id="player" value=${player} label=${t('player')}></copy-text>
        <p class="note">${t('until', { date })}</p>
        <p class="note">${this.info?.tls_port ? t('trust') : t('noMicrophone')}</p>
        <div class="buttons"><button id="revoke" type="button" ?disabled=${this.isBusy} @click=${this.revoke}>${t('revoke')}</button></div>
      </section>
    `;
  }

  private readonly make = (event: SubmitEvent) => {
    event.preventDefault();
    const wish = new FormData(this.form);
    const text = (field: string) => {
      const value = wish.get(field);
      return typeof value === 'string' ? value : '';
    };
    void this.attempt(t('making'), async (session) => {
      const info = (await askRelay<RelayInfo>(session.base, 'api/info'))?.body;
      if (!info) throw new Error(t('unreachable'));
      this.info = info;
      const scope: ('listen' | 'talk')[] = text('may') === 'talk' ? ['listen', 'talk'] : ['listen'];
      this.made = await makeLink(session.base, info, { scope, name: text('name').trim(), days: Number(text('days')) });
      return t('ready');
    });
  };

  private readonly revoke = () => {
    const id = this.made?.id;
    if (!id) return;
    void this.attempt('', async (session) => {
      await revokeLink(session.base, id);
      this.made = null;
      return t('revoked');
    });
  };

  /** Does something that takes a while and may fail, and says both. */
  private async attempt(meanwhile: string, act: (session: HouseSession) => Promise<string>): Promise<void> {
    if (!this.session) return;
    this.isBusy = true;
    this.said = meanwhile;
    try {
      this.said = await act(this.session);
    } catch (error) {
      this.said = t('failed', { reason: error instanceof TypeError ? t('unreachable') : String(error instanceof Error ? error.message : error) });
    } finally {
      this.isBusy = false;
    }
  }
}
