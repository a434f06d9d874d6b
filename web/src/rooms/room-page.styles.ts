// What only a room needs besides page.styles.ts.

import { css } from 'lit';

import { pageStyles } from '../pages/page.styles';
import { fieldStyles } from '../ui/field.styles';

export const roomPageStyles = [
  pageStyles,
  fieldStyles,
  css`
    header {
      align-items: center;
    }
    h1 {
      overflow: hidden;
      text-overflow: ellipsis;
    }
    h1 {
      flex: 1;
    }
    .back {
      flex: none;
      width: 2.75rem;
      padding: 0;
      font-size: 2rem;
      line-height: 2.75rem;
      text-align: center;
      text-decoration: none;
    }
    .more {
      grid-template-columns: 1fr;
    }
    main section.folded {
      padding: 0.4rem 1rem;
    }
    #chat {
      position: relative;
    }
    .badge {
      position: absolute;
      top: -0.25rem;
      right: -0.25rem;
      min-width: 1.5rem;
      border-radius: 0.75rem;
      background: var(--accent);
      color: var(--on-accent);
      font-weight: 650;
      line-height: 1.5rem;
      text-align: center;
    }
    #notice {
      border-color: var(--live);
    }
    #claim-floor {
      margin-top: 0.75rem;
    }
    .actions {
      display: flex;
      flex-wrap: wrap;
      gap: 0.75rem;
    }
    #host p {
      margin: 0 0 0.75rem;
    }
    .actions button {
      min-height: 3rem;
    }
  `,
];
