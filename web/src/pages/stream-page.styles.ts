// What only the page of one stream needs besides part.styles.ts.

import { css } from 'lit';

export const streamPageStyles = css`
  .life {
    margin: 0;
  }
  .life::before {
    content: '';
    display: inline-block;
    width: 0.6rem;
    height: 0.6rem;
    margin-right: 0.4rem;
    border-radius: 50%;
    background: var(--line);
  }
  .life.live::before {
    background: var(--level);
  }
  .to-latest {
    display: inline-block;
    padding: 0.6rem 0;
  }
  level-meter {
    margin-top: 0.75rem;
  }
  #players li {
    padding: 0.8rem 0;
    border-top: 1px solid var(--line);
  }
  #players li:first-child {
    margin-top: 0.6rem;
  }
  copy-text p {
    margin: 0;
  }
  qr-code {
    margin: 0.9rem 0;
  }
`;
