// How a list looks of which each line is switched on or off.

import { css } from 'lit';

export const switchStyles = css`
  h2,
  p {
    margin: 0;
  }
  h2 {
    font-size: 1.1rem;
  }
  label {
    display: flex;
    gap: 1rem;
    align-items: center;
    justify-content: space-between;
    min-height: 3rem;
  }
  input[type='checkbox'] {
    flex: none;
    width: 1.5rem;
    height: 1.5rem;
    accent-color: var(--accent);
  }
  p {
    color: var(--quiet);
    font-size: 0.9rem;
  }
`;
