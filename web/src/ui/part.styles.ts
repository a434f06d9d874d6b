// How the views besides the page of the house look. Colours come from page.css, light and dark.

import { css } from 'lit';

import { buttonStyles } from './button.styles';

export const partStyles = css`
  ${buttonStyles}
  :host {
    display: block;
  }
  :is(main, aside) {
    display: grid;
    grid-template-columns: minmax(0, 1fr);
    gap: 1rem;
    max-width: 44rem;
    margin: 0 auto;
    padding: max(1.25rem, env(safe-area-inset-top)) 1rem 2rem;
  }
  h1 {
    margin: 0.25rem 0 0;
    font-size: 1.35rem;
    overflow-wrap: anywhere;
  }
  h1:focus {
    outline: none;
  }
  h2 {
    margin: 0 0 0.5rem;
    font-size: 1rem;
  }
  h3 {
    margin: 1rem 0 0.25rem;
    font-size: 1rem;
  }
  section {
    padding: 1rem;
    border: 1px solid var(--line);
    border-radius: 0.9rem;
    background: var(--surface);
  }
  a {
    color: var(--accent);
    overflow-wrap: anywhere;
  }
  .back {
    display: inline-block;
    padding: 0.6rem 0;
  }
  .note {
    margin: 0.4rem 0 0;
    color: var(--quiet);
    overflow-wrap: anywhere;
  }
  button {
    min-height: 3rem;
    padding: 0.6rem 1.1rem;
  }
  button.on {
    background: var(--accent);
    color: var(--on-accent);
  }
  :is(a, textarea):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  ul {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  .buttons {
    display: flex;
    flex-wrap: wrap;
    gap: 0.75rem;
    margin-top: 0.9rem;
  }
`;
