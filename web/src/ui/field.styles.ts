// How everything looks in which people write or choose something, and what they open to find more.

import { css } from 'lit';

export const fieldStyles = css`
  label {
    display: grid;
    gap: 0.35rem;
  }
  :is(input:not([type='range'], [type='file'], [type='checkbox']), select, textarea) {
    box-sizing: border-box;
    width: 100%;
    min-height: 2.75rem;
    padding: 0.4rem 0.7rem;
    border: 1px solid var(--quiet);
    border-radius: 0.6rem;
    background: var(--ground);
    color: var(--ink);
    font: inherit;
  }
  input[type='range'] {
    width: 100%;
    min-height: 2.75rem;
    margin: 0;
    accent-color: var(--accent);
  }
  :is(input, select, textarea, summary):focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
  summary {
    display: flex;
    align-items: center;
    justify-content: space-between;
    min-height: 2.75rem;
    font-weight: 650;
    list-style: none;
    cursor: pointer;
  }
  summary::-webkit-details-marker {
    display: none;
  }
  summary::after {
    content: '';
    flex: none;
    width: 0.5rem;
    height: 0.5rem;
    margin: 0 0.5rem 0.25rem 0.75rem;
    border: solid var(--quiet);
    border-width: 0 2px 2px 0;
    transform: rotate(45deg);
  }
  details[open] > summary::after {
    margin-bottom: -0.25rem;
    transform: rotate(225deg);
  }
  .unseen {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
`;
