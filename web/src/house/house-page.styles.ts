// How the page of the house looks: on phones the buttons stay at the bottom, under the thumb, and the rest passes above
// them; a tablet has them at the side, and a desktop has three columns. Colours come from page.css, light and dark.

import { css } from 'lit';

import { pageStyles } from '../pages/page.styles';
import { fieldStyles } from '../ui/field.styles';

export const housePageStyles = [
  pageStyles,
  fieldStyles,
  css`
    header {
      align-items: center;
      gap: 0.25rem 0.75rem;
    }
    .connection {
      flex: none;
      max-width: 45%;
      overflow: hidden;
      font-size: 0.9rem;
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    h1 {
      flex: 1;
      font-size: 1.25rem;
      white-space: nowrap;
    }
    main {
      gap: 1rem;
    }
    @media (max-width: 17rem) {
      .connection {
        max-width: none;
      }
    }
    .heard[hidden] {
      display: none;
    }
    .places,
    .heard:not([hidden]) {
      display: grid;
      grid-template-columns: minmax(0, 1fr);
      gap: 1rem;
      align-content: start;
    }
    main section.tiles {
      display: grid;
      grid-template-columns: repeat(auto-fill, minmax(min(100%, 17rem), 1fr));
      gap: 0.6rem;
      padding: 0;
      border: 0;
      background: none;
    }
    main section.folded {
      padding: 0.4rem 1rem;
    }
    h2 {
      margin: 0.25rem 0 -0.4rem;
      font-size: 1rem;
    }
    .away summary {
      margin-bottom: 0.5rem;
    }
    #new-room {
      min-height: 3rem;
      border-style: dashed;
    }
    .ways {
      display: grid;
      gap: 0.6rem;
    }
    .menu {
      position: relative;
    }
    .menu summary {
      display: grid;
      place-items: center;
      width: 2.75rem;
      height: 2.75rem;
      border-radius: 50%;
      color: var(--accent);
    }
    .menu summary::after {
      content: none;
    }
    .menu svg {
      width: 1.7rem;
    }
    .menu nav {
      position: absolute;
      z-index: 1;
      right: 0;
      display: grid;
      min-width: 12rem;
      padding: 0.4rem 1.1rem;
      border: 1px solid var(--line);
      border-radius: 0.9rem;
      background: var(--surface);
      box-shadow: 0 0.5rem 1.5rem rgb(0 0 0 / 20%);
    }
    .unblock {
      border-color: var(--accent);
    }

    /* Nothing moves when somebody joins. */
    @media (min-width: 17.01rem) and (max-width: 47.99rem) and (min-height: 34rem) {
      .dock {
        display: grid;
        align-content: end;
        box-sizing: border-box;
        min-height: 21.3rem;
      }
    }
    @media (min-width: 48rem) and (max-width: 75.99rem), (orientation: landscape) and (max-height: 32rem) {
      :host {
        grid-template-columns: minmax(0, 1.2fr) minmax(18.5rem, 1fr);
      }
      .dock {
        order: 1;
      }
    }
    @media (min-width: 76rem) {
      :host {
        max-width: 96rem;
        grid-template-columns: minmax(0, 2fr) minmax(20rem, 1fr);
      }
      .dock {
        order: 1;
      }
      main {
        display: grid;
        grid-template-columns: minmax(0, 1fr) minmax(0, 1fr);
        gap: 2rem;
        align-content: start;
      }
      /* The third column is the drawer. */
      :host([beside]) {
        grid-template-columns: minmax(0, 1.2fr) minmax(18.5rem, 1fr);
      }
      :host([beside]) main {
        grid-template-columns: minmax(0, 1fr);
        gap: 1rem;
      }
    }
  `,
];
