// How the list of speakers looks. A row keeps its height whatever its stream does.

import { css } from 'lit';

export const speakerListStyles = css`
  :host {
    display: block;
  }
  h2 {
    margin: 0;
    font-size: 1rem;
  }
  ul,
  p {
    margin: 0;
    padding: 0;
    list-style: none;
  }
  /* As high as the row of a speaker, so that nothing moves when one comes. */
  #streams.quiet {
    min-height: 2.75rem;
    padding: 0.6rem 0 0;
    line-height: 2.75rem;
  }
  li {
    display: grid;
    grid-template-columns: auto 1fr auto;
    gap: 0.25rem 0.75rem;
    align-items: center;
    padding: 0.6rem 0 0.8rem;
    border-top: 1px solid var(--line);
  }
  li:first-child {
    border-top: 0;
  }
  li:last-child {
    padding-bottom: 0;
  }
  .name {
    max-width: 12rem;
    overflow: hidden;
    font-weight: 600;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  .quiet {
    color: var(--quiet);
  }
  .state {
    overflow: hidden;
    font-size: 0.9rem;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  level-meter,
  .controls {
    grid-column: 1 / -1;
  }
  .controls {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 0.75rem;
    align-items: center;
    margin-top: 0.4rem;
  }
  a {
    display: inline-flex;
    align-items: center;
    min-height: 2.75rem;
    color: var(--accent);
  }
  button {
    display: grid;
    place-items: center;
    width: 2.75rem;
    height: 2.75rem;
    border: 2px solid var(--line);
    border-radius: 50%;
    background: transparent;
    color: var(--quiet);
    cursor: pointer;
  }
  button[aria-pressed='true'] {
    border-color: var(--accent);
    color: var(--accent);
  }
  button:disabled {
    cursor: default;
    opacity: 0.6;
  }
  button svg {
    width: 1.5rem;
  }
  input {
    width: 100%;
    min-height: 2.75rem;
    margin: 0;
    accent-color: var(--accent);
  }
  :is(a, button, input):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
`;
