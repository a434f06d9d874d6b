// What only the page with a room's addresses needs besides part.styles.ts.

import { css } from 'lit';

export const speakerPageStyles = css`
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
