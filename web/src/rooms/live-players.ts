// Media players on which one is heard live when one talks in this room: those who have nothing but a player hear it, too.

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from 'lit';
import { customElement, property, state } from 'lit/decorators.js';

import { listPlayers, NO_PLAYERS, type HousePlayers } from '../house/house-players';
import type { HouseSession } from '../house/house-session';
import { optionWords as t } from '../messages/room-options';
import { switchStyles } from '../ui/switches.styles';

declare global {
  interface HTMLElementTagNameMap {
    'live-players': LivePlayers;
  }
}

@customElement('live-players')
export class LivePlayers extends LitElement {
  static override styles = [
    switchStyles,
    css`
      section {
        padding: 1rem;
        border: 1px solid var(--line);
        border-radius: 0.9rem;
        background: var(--surface);
      }
    `,
  ];

  @property({ attribute: false }) session: HouseSession | null = null;
  @property() room = '';

  @state() private players: HousePlayers = NO_PLAYERS;
  private readonly ending = new AbortController();

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.ending.abort();
  }

  protected override updated(changes: PropertyValues<this>): void {
    if (changes.has('session') && this.session) {
      void listPlayers(this.session.base, this.ending.signal).then(
        (players) => {
          this.players = players;
        },
        () => undefined,
      );
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    // Satellites of the voice assistant announce, and play nothing.
    const players = this.players.players.filter(({ entity }) => entity.startsWith('media_player.'));
    const { session, room } = this;
    if (!session || !players.length) return nothing;
    const chosen = session.choices.liveOn[room] ?? [];
    const turn = (entity: string, on: boolean) => {
      const others = chosen.filter((one) => one !== entity);
      session.choose({ liveOn: { ...session.choices.liveOn, [room]: on ? [...others, entity] : others } });
      this.requestUpdate();
    };
    return html`<section>
      <h2>${t('live')}</h2>
      <p>${t('liveHint')}</p>
      ${players.map(
        ({ entity, name }) => html`<label><span>${name}</span>
          <input type="checkbox" data-player=${entity} .checked=${chosen.includes(entity)} @change=${(event: Event) => { turn(entity, (event.target as HTMLInputElement).checked); }} /></label>`,
      )}
    </section>`;
  }
}
