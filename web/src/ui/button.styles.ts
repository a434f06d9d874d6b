// How every plain button looks; what differs in size or state says so beside it.

import { css } from 'lit';

export const buttonStyles = css`
  button {
    min-height: 2.75rem;
    padding: 0.5rem 1rem;
    border: 2px solid var(--accent);
    border-radius: 0.75rem;
    background: transparent;
    color: var(--accent);
    font: inherit;
    font-weight: 600;
    cursor: pointer;
    -webkit-tap-highlight-color: transparent;
  }
  button:disabled {
    border-color: var(--line);
    color: var(--quiet);
    cursor: not-allowed;
  }
  button:focus-visible {
    outline: 3px solid var(--accent);
    outline-offset: 2px;
  }
`;
