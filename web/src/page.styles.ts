// How the page looks. Colours come from page.css, light and dark.

import { css } from 'lit';

export const pageStyles = css`
  :host {
    display: grid;
    gap: 1rem;
    max-width: 34rem;
    margin: 0 auto;
    padding: max(1.25rem, env(safe-area-inset-top)) 1rem 2rem;
  }
  header {
    display: flex;
    align-items: baseline;
    justify-content: space-between;
    gap: 1rem;
  }
  h1 {
    margin: 0;
    font-size: 1.35rem;
  }
  h2 {
    margin: 0 0 0.5rem;
    font-size: 1rem;
  }
  .connection {
    color: var(--quiet);
  }
  .connection::before {
    content: '';
    display: inline-block;
    width: 0.6rem;
    height: 0.6rem;
    margin-right: 0.4rem;
    border-radius: 50%;
    background: var(--live);
  }
  .connection.up::before {
    background: var(--level);
  }
  section {
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: 0.9rem;
    background: var(--surface);
  }
  .buttons {
    display: grid;
    grid-template-columns: 1fr 1fr;
    gap: 0.75rem;
  }
  button {
    min-height: 3rem;
    padding: 0.75rem 1rem;
    border: 2px solid var(--accent);
    border-radius: 0.75rem;
    background: transparent;
    color: var(--accent);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
  }
  .buttons button {
    min-height: 5rem;
    font-size: 1.15rem;
  }
  button[aria-pressed='true'] {
    background: var(--accent);
    color: var(--on-accent);
  }
  #talk[aria-pressed='true'] {
    border-color: var(--live);
    background: var(--live);
    color: var(--on-live);
  }
  button:disabled {
    border-color: var(--line);
    color: var(--quiet);
    cursor: not-allowed;
  }
  :is(button, a, input):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  #state {
    min-height: 1.5em;
    margin: 0.9rem 0 0.6rem;
  }
  .note {
    margin: 0.6rem 0 0;
    color: var(--quiet);
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  li {
    display: grid;
    grid-template-columns: 1fr auto;
    gap: 0.35rem 1rem;
    align-items: center;
    padding: 0.7rem 0;
    border-top: 1px solid var(--line);
  }
  li:first-child {
    border-top: 0;
  }
  li level-meter {
    grid-column: 1 / -1;
  }
  li label {
    display: flex;
    gap: 0.5rem;
    align-items: center;
    color: var(--quiet);
  }
  input[type='range'] {
    width: 7rem;
    min-height: 2.75rem;
    accent-color: var(--accent);
  }
  a {
    color: var(--accent);
    overflow-wrap: anywhere;
  }
  li a {
    padding: 0.6rem 0;
  }
`;
