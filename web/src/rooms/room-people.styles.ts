// How the people of a room look: a ring around the face of whoever talks. A row keeps its height whatever happens.

import { css } from 'lit';

import { buttonStyles } from '../ui/button.styles';
import { fieldStyles } from '../ui/field.styles';

export const roomPeopleStyles = css`
  ${buttonStyles}
  ${fieldStyles}
  :host {
    display: block;
  }
  h2 {
    margin: 0;
    font-size: 1rem;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: auto minmax(0, 1fr) auto auto;
    gap: 0.3rem 0.9rem;
    align-items: center;
    padding: 0.8rem 0;
    border-top: 1px solid var(--line);
  }
  li:first-child {
    border-top: 0;
  }
  li:last-child {
    padding-bottom: 0;
  }
  @media (max-width: 17rem) {
    li {
      gap: 0.3rem 0.4rem;
    }
    .quality {
      display: none !important;
    }
  }
  .further {
    margin-top: 1.2rem;
  }
  .listener {
    grid-template-columns: minmax(0, 1fr) auto;
    padding: 0.4rem 0;
  }
  .face {
    position: relative;
    display: grid;
    grid-row: span 2;
    place-items: center;
    width: 2.75rem;
    height: 2.75rem;
    margin: 0.2rem;
    border-radius: 50%;
    background: var(--line);
    font-weight: 650;
    transition: box-shadow 120ms;
  }
  .face img {
    position: absolute;
    width: 100%;
    height: 100%;
    border-radius: 50%;
    object-fit: cover;
  }
  .talking .face {
    box-shadow:
      0 0 0 2px var(--surface),
      0 0 0 5px var(--level);
  }
  .words {
    display: grid;
    align-content: center;
  }
  .name {
    overflow: hidden;
    font-weight: 600;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .marks {
    color: var(--quiet);
    font-size: 0.9rem;
  }
  .marks:empty {
    display: none;
  }
  .quiet {
    margin: 0.5rem 0 0;
    color: var(--quiet);
  }
  level-meter {
    grid-column: 2 / 5;
    height: 0.3rem;
    visibility: hidden;
  }
  .talking level-meter {
    visibility: visible;
  }
  .quality {
    display: flex;
    gap: 2px;
    align-items: end;
    height: 1rem;
  }
  .quality i {
    width: 4px;
    height: 40%;
    border-radius: 1px;
    background: var(--level);
  }
  .quality i:nth-child(2) {
    height: 70%;
  }
  .quality i:nth-child(3) {
    height: 100%;
  }
  .fair i:nth-child(3),
  .poor i:nth-child(n + 2) {
    background: var(--line);
  }
  .poor i {
    background: var(--live);
  }
  .menu {
    grid-row: 1;
    grid-column: 4;
    width: 2.75rem;
    padding: 0;
    border-color: transparent;
    border-radius: 50%;
    color: var(--ink);
    font-size: 1.4rem;
    line-height: 1;
  }
  .menu[aria-expanded='true'] {
    background: var(--line);
  }
  .opened {
    display: grid;
    grid-column: 1 / -1;
    gap: 0.5rem;
    padding: 0.5rem 0;
  }
  .actions {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
  }
  .actions button {
    min-height: 3rem;
  }
  @media (prefers-reduced-motion: reduce) {
    .face {
      transition: none;
    }
  }
`;
