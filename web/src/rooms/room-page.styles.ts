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
    .back {
      flex: none;
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
      background: var(--live);
      color: var(--on-live);
      font-weight: 650;
      line-height: 1.5rem;
      text-align: center;
    }
    :is(#notice, #no-word, #away) {
      border-color: var(--live);
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
