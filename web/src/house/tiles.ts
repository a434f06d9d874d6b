// Rooms and devices as tiles, with what one does to each.

import { html } from 'lit';
import { repeat } from 'lit/directives/repeat.js';

import type { HouseSession } from './house-session';
import './house-tile';
import type { HouseView, PlaceView } from './house-view';
import { nameOf, peopleIn } from './presence';

/** How tiles are, besides what the session says. */
export interface TileState {
  /** The relay is out of reach. */
  isAway: boolean;
  /** There is a microphone that could be opened. */
  mayTalk: boolean;
}

/** Our own place, while somebody is there who said something to us alone, and is answered there. Calls have their own panel. */
export function visitedIn({ own, calls }: HouseView): readonly PlaceView[] {
  return own && !calls.current && peopleIn(own).some(({ you }) => !you) ? [own] : [];
}

/** These places as tiles. */
export function tilesOf(places: readonly PlaceView[], session: HouseSession, { isAway, mayTalk }: TileState): unknown {
  const { own, selected } = session.view;
  const hold = (id: string, held: boolean) => {
    if (!held) {
      session.stopTalking();
      return;
    }
    session.select(id);
    if (mayTalk) void session.talk();
  };
  return repeat(places, ({ room }) => room.id, (place) => {
    const { id } = place.room;
    return html`<house-tile data-room=${id} .place=${place} ?own=${id === own?.room.id} ?selected=${id === selected?.room.id} ?away=${isAway}
      @choose=${() => { session.select(id); }}
      @hold=${({ detail }: CustomEvent<boolean>) => { hold(id, detail); }}
      @ring=${() => { session.calls.ring([id]); }}
      @message=${() => { session.calls.leaveMessage(id, nameOf(place.room)); }}
      @hear=${({ detail }: CustomEvent<boolean>) => { session.listenTo(id, detail); }}></house-tile>`;
  });
}
