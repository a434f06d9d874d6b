// What Home Assistant has of the relay: the link, the entities, rooms as media players, and its own players, each to be
// tried.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';
import { live } from 'lit/directives/live.js';

import { announce, follow, type Announcement } from '../house/announcing';
import { listPlayers, NO_PLAYERS, type HousePlayer, type HousePlayers } from '../house/house-players';
import { HOME, type HouseSession } from '../house/house-session';
import { nameOf } from '../house/presence';
import { askHomeAssistant, askNodeKey, connectHomeAssistant, listDoorbells, setDoorbell, type Doorbell, type HomeAssistant } from '../lib/home-assistant';
import { spoken } from '../lib/i18n';
import { t } from '../messages/home-assistant';
import type { Room } from '../rooms/room-protocol';
import { fieldStyles } from '../ui/field.styles';
import { partStyles } from '../ui/part.styles';
import '../ui/copy-text';

declare global {
  interface HTMLElementTagNameMap {
    'homeassistant-page': HomeAssistantPage;
  }
}

/** How often the relay is asked while the page is open. */
const ASK_MS = 2_000;

/** Who is less late than this is not late for anybody. */
const NOTABLE_SECONDS = 0.1;

/** What is played for a test. */
const CHIME = 'ding-dong';

@customElement('homeassistant-page')
export class HomeAssistantPage extends LitElement {
  static override styles = [
    partStyles,
    fieldStyles,
    css`
      label {
        margin-top: 0.75rem;
      }
      section > p {
        margin: 0;
      }
      li {
        display: flex;
        flex-wrap: wrap;
        align-items: center;
        justify-content: space-between;
        gap: 0.4rem 1rem;
        padding: 0.75rem 0;
        border-top: 1px solid var(--line);
      }
      li > :first-child {
        flex: 1 1 9rem;
        min-width: 0;
        overflow-wrap: anywhere;
      }
      li .note {
        display: block;
      }
      li [role='status']:empty {
        display: none;
      }
      li [role='status'] {
        flex-basis: 100%;
        margin: 0;
      }
      section > p.note:empty {
        margin: 0;
      }
      ul,
      details {
        margin-top: 0.75rem;
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;

  /** How it is; null until the relay has told. */
  @state() private home: HomeAssistant | null = null;
  @state() private players: HousePlayers = NO_PLAYERS;
  @state() private doorbells: readonly Doorbell[] = [];
  /** What became of the choice for a doorbell, in words. */
  @state() private chosen = '';
  /** Why nothing is known, in words; empty while something is. */
  @state() private trouble = '';
  /** What became of *Connect*, in words. */
  @state() private said = '';
  @state() private isConnecting = false;
  /** What Home Assistant asks for when the node is added by hand, once somebody wants to know. */
  @state() private nodeKey = '';
  @state() private keyTrouble = '';
  /** What became of the test of each player, by its entity. */
  @state() private tests: Readonly<Record<string, string>> = {};
  /** Players that are being tested. */
  @state() private testing: readonly string[] = [];

  private ending = new AbortController();

  override connectedCallback(): void {
    super.connectedCallback();
    this.ending = new AbortController();
    void this.keepFresh(this.ending.signal);
  }

  override disconnectedCallback(): void {
    this.ending.abort();
    super.disconnectedCallback();
  }

  protected override render(): TemplateResult {
    return html`<main>
      <header>
        <a class="back" href="#/">${t('back')}</a>
        <h1 tabindex="-1">${t('title')}</h1>
      </header>
      ${this.home ? this.renderHome(this.home) : html`<section><p id="trouble" role="status">${this.trouble || t('loading')}</p></section>`}
    </main>`;
  }

  /** What is shown is of before. */
  private get isAway(): boolean {
    return this.trouble !== '';
  }

  private renderHome(home: HomeAssistant): TemplateResult {
    const link = home.linked ? 'linked' : home.configured ? 'unlinked' : 'notConfigured';
    return html`
      ${this.trouble ? html`<p class="note" id="trouble" role="status">${this.trouble}</p>` : nothing}
      <section id="link" data-state=${link}>
        <h2>${t('link')}</h2>
        <p>${t(link)}</p>
      </section>
      ${home.configured
        ? html`
            <section id="entities">
              <h2>${t('entities')}</h2>
              <p>${home.broker ? t(home.broker.connected ? 'brokerUp' : 'brokerDown') : t('noBroker')}</p>
            </section>
            ${this.renderNode(home)} ${this.doorbells.length > 0 ? this.renderDoorbells() : nothing} ${this.renderPlayers()}
          `
        : nothing}
    `;
  }

  private renderNode({ node, linked }: HomeAssistant): TemplateResult {
    const isOpen = node !== null && !node.connected;
    return html`<section id="node" data-connected=${node?.connected ?? false}>
      <h2>${t('rooms')}</h2>
      <p>${node ? t(node.connected ? 'nodeUp' : 'nodeDown') : t('noNode')}</p>
      ${isOpen
        ? html`<div class="buttons"><button id="connect" type="button" ?disabled=${this.isConnecting || !linked || this.isAway} @click=${this.connect}>${t('connect')}</button></div>`
        : nothing}
      <p class="note" role="status">${this.said}</p>
      ${node?.onLan && isOpen ? this.renderByHand(node.port) : nothing}
    </section>`;
  }

  /** For whoever adds the node in Home Assistant itself. */
  private renderByHand(port: number): TemplateResult {
    return html`<details id="by-hand" @toggle=${() => void this.showKey()}>
      <summary>${t('byHand')}</summary>
      <p>${t('byHandNote', { port: String(port) })}</p>
      ${this.nodeKey ? html`<copy-text .value=${this.nodeKey} label=${t('key')}>${t('key')}</copy-text>` : html`<p class="note" role="status">${this.keyTrouble}</p>`}
    </details>`;
  }

  private async showKey(): Promise<void> {
    if (!this.session || this.nodeKey) return;
    try {
      this.nodeKey = (await askNodeKey(this.session.base, this.ending.signal)) ?? '';
    } catch (error) {
      this.keyTrouble = t('failed', { reason: reasonOf(error) });
    }
  }

  private renderDoorbells(): TemplateResult {
    return html`<section id="doorbells">
      <h2>${t('doorbells')}</h2>
      <p>${t('doorbellsNote')}</p>
      ${this.doorbells.map((doorbell) => this.renderDoorbell(doorbell))}
      <p class="note" role="status">${this.chosen}</p>
    </section>`;
  }

  private renderDoorbell({ entity, name, available, to }: Doorbell): TemplateResult {
    const only = to.length === 1 ? (to[0]?.replace(/^room:/, '') ?? '') : '';
    const choose = (event: Event) => {
      const { value } = event.target as HTMLSelectElement;
      void this.choose(entity, value === '' ? [] : [value]);
    };
    return html`<label>${t('rings', { name })}
      <select data-doorbell=${entity} ?disabled=${this.isAway} @change=${choose}>
        ${to.length > 1 ? html`<option selected disabled>${t('several', { names: to.join(', ') })}</option>` : nothing}
        <option value="everybody" .selected=${live(only === 'everybody')}>${t('everybody')}</option>
        ${this.callable.map((room) => html`<option value=${room.id} .selected=${live(only === room.id)}>${nameOf(room)}</option>`)}
        <option value="" .selected=${live(to.length === 0)}>${t('nobody')}</option>
      </select>
      ${available ? nothing : html`<span class="note">${t('notThere')}</span>`}
    </label>`;
  }

  /** Rooms and devices, without the room that is the whole house. */
  private get callable(): readonly Room[] {
    const view = this.session?.view;
    const all = [...(view?.places ?? []), ...(view?.stations ?? []), ...(view?.own ? [view.own] : [])];
    return all.map(({ room }) => room).filter(({ id }) => id !== HOME);
  }

  private async choose(entity: string, to: readonly string[]): Promise<void> {
    if (!this.session) return;
    try {
      await setDoorbell(this.session.base, entity, to);
      this.chosen = t('saved');
    } catch (error) {
      this.chosen = t('failed', { reason: reasonOf(error) });
    }
    await this.refresh(this.ending.signal);
  }

  private renderPlayers(): TemplateResult {
    const { players } = this.players;
    return html`<section id="players">
      <h2>${t('players')}</h2>
      <p>${players.length > 0 ? t('playersNote') : t('noPlayers')}</p>
      ${players.length > 0
        ? html`<ul>
            ${players.map((player) => this.renderPlayer(player))}
          </ul>`
        : nothing}
    </section>`;
  }

  private renderPlayer(player: HousePlayer): TemplateResult {
    const { entity, name, area, isThere } = player;
    return html`<li data-entity=${entity}>
      <span>${name}<span class="note">${isThere ? area : t('notThere')}</span></span>
      <button type="button" aria-label=${t('testOf', { name })} ?disabled=${!isThere || this.isAway || this.testing.includes(entity)} @click=${() => void this.test(player)}>${t('test')}</button>
      <span class="note" role="status">${this.tests[entity] ?? ''}</span>
    </li>`;
  }

  /** Asks again and again, until the page is left. */
  private async keepFresh(signal: AbortSignal): Promise<void> {
    await this.refresh(signal);
    // Not awaited: a page that is open for days would hold a promise for each time.
    if (!signal.aborted) setTimeout(() => void this.keepFresh(signal), ASK_MS);
  }

  private async refresh(signal: AbortSignal): Promise<void> {
    const base = this.session?.base;
    if (!base) return;
    try {
      [this.home, this.players, this.doorbells] = await Promise.all([askHomeAssistant(base, signal), listPlayers(base, signal), listDoorbells(base, signal)]);
      this.trouble = '';
    } catch (error) {
      if (!signal.aborted) this.trouble = reasonOf(error);
    }
  }

  private readonly connect = () => {
    void this.attemptToConnect();
  };

  private async attemptToConnect(): Promise<void> {
    if (!this.session) return;
    this.isConnecting = true;
    this.said = t('connecting');
    try {
      this.said = (await connectHomeAssistant(this.session.base)) ? t('connected') : t('connectedBefore');
      await this.refresh(this.ending.signal);
    } catch (error) {
      this.said = t('failed', { reason: reasonOf(error) });
    } finally {
      this.isConnecting = false;
    }
  }

  /** Plays a chime on a player, and says when it was heard, and whether the player is as loud as before. */
  private async test({ entity, volume: before }: HousePlayer): Promise<void> {
    const [base, signal] = [this.session?.base, this.ending.signal];
    if (!base) return;
    this.testing = [...this.testing, entity];
    this.say(entity, t('trying'));
    let [late, last]: [number | null, Announcement | null] = [null, await announce(base, [entity], { file: CHIME }, { chime: '', name: '' })];
    await follow(base, last, signal, (now) => {
      late = now.parts[0]?.late ?? late;
      last = now;
    });
    const after = (await listPlayers(base, signal).catch(() => NO_PLAYERS)).players.find((player) => player.entity === entity)?.volume ?? null;
    this.say(entity, outcomeInWords(last, late, before, after));
    this.testing = this.testing.filter((other) => other !== entity);
  }

  private say(entity: string, words: string): void {
    this.tests = { ...this.tests, [entity]: words };
  }
}

function outcomeInWords({ state, reason, parts }: Announcement, late: number | null, before: number | null, after: number | null): string {
  if (state !== 'played') return t('failed', { reason: reason || parts[0]?.reason || state });
  const heard = late === null || late < NOTABLE_SECONDS ? t('tried') : t('triedLate', { seconds: new Intl.NumberFormat(spoken(), { maximumFractionDigits: 1 }).format(late) });
  if (before === null || after === null) return heard;
  const [was, is] = [Math.round(before * 100), Math.round(after * 100)];
  return `${heard} ${was === is ? t('volumeBack') : t('volumeChanged', { before: String(was), after: String(is) })}`;
}

function reasonOf(error: unknown): string {
  if (error instanceof TypeError) return t('unreachable');
  return error instanceof Error ? error.message : String(error);
}
