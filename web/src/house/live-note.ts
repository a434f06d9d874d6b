// How far media players are that play live what is said here: a line for each, over whatever view there is.

import { css, html, LitElement, nothing, type TemplateResult } from 'lit';
import { customElement, property } from 'lit/decorators.js';

import { partInWords } from '../messages/announce';
import { optionWords as t } from '../messages/room-options';
import type { Announcement } from './announcing';
import { listPlayers, NO_PLAYERS, type HousePlayers } from './house-players';
import type { HouseSession } from './house-session';
import { liveRelay, LiveSpeakers } from './live-speakers';

declare global {
  interface HTMLElementTagNameMap {
    'live-note': LiveNote;
  }
}

@customElement('live-note')
export class LiveNote extends LitElement {
  static override styles = css`
    :host {
      position: fixed;
      z-index: 2;
      top: max(0.75rem, env(safe-area-inset-top));
      left: 50%;
      box-sizing: border-box;
      width: max-content;
      max-width: min(100vw - 1.5rem, 30rem);
      transform: translateX(-50%);
    }
    ul {
      margin: 0;
      padding: 0.6rem 1rem;
      border: 2px solid var(--line);
      border-radius: 1.1rem;
      background: var(--surface);
      box-shadow: 0 0.75rem 2.5rem rgb(0 0 0 / 35%);
      color: var(--ink);
      list-style: none;
      overflow-wrap: anywhere;
    }
  `;

  @property({ attribute: false }) shown: readonly Announcement[] = [];
  @property({ attribute: false }) players: HousePlayers = NO_PLAYERS;

  protected override render(): TemplateResult {
    const lines = this.shown.flatMap(({ id, state, reason, parts }) =>
      id === null ? [partInWords({ state, reason, late: null }, t('live'))] : parts.map((part) => partInWords(part, this.nameOf(part.place))),
    );
    return html`<div role="status">${lines.length ? html`<ul>${lines.map((line) => html`<li>${line}</li>`)}</ul>` : nothing}</div>`;
  }

  private nameOf(place: string): string {
    return this.players.players.find(({ entity }) => entity === place)?.name ?? place;
  }
}

/** Has players play live what is said from now on, where that is chosen, and shows how far they are. */
export function playLive(session: HouseSession): void {
  const note = document.createElement('live-note');
  document.body.prepend(note);
  const speakers = new LiveSpeakers(liveRelay(session.base), () => {
    note.shown = speakers.shown;
  });
  void listPlayers(session.base, AbortSignal.timeout(5_000)).then(
    (players) => {
      note.players = players;
    },
    // They are called by their entities then.
    () => undefined,
  );
  const look = () => {
    speakers.follow(session.view, session.choices);
  };
  session.addEventListener('change', look);
  look();
}
