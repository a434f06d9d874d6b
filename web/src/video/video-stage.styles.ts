import { css } from 'lit';

import { buttonStyles } from '../ui/button.styles';

export const videoStageStyles = [
  buttonStyles,
  css`
    :host {
      display: block;
    }
    h2 {
      margin: 0 0 0.75rem;
      font-size: 1.1rem;
    }
    .actions {
      display: flex;
      flex-wrap: wrap;
      gap: 0.5rem;
    }
    .actions button {
      display: flex;
      align-items: center;
      gap: 0.5rem;
      min-height: 3rem;
    }
    .actions svg {
      flex: none;
      width: 1.5rem;
      height: 1.5rem;
    }
    #camera[aria-pressed='true'],
    #screen[aria-pressed='true'] {
      border-color: var(--live);
      background: var(--live);
      color: var(--on-live);
    }
    #video-problem {
      margin: 0.75rem 0 0;
    }
    .pictures {
      display: grid;
      gap: 0.5rem;
      margin-bottom: 0.75rem;
    }
    .pictures[data-count='0'] {
      margin-bottom: 0;
    }
    .grid {
      grid-template-columns: repeat(auto-fit, minmax(min(100%, 15rem), 1fr));
    }
    .speaker {
      grid-template-columns: repeat(auto-fill, minmax(7.5rem, 1fr));
    }
    .speaker .large {
      grid-column: 1 / -1;
      order: -1;
    }
    @media (max-width: 34rem) {
      .grid:not([data-count='1']) {
        grid-template-columns: 1fr 1fr;
      }
      .actions button {
        flex: 1 1 8rem;
        justify-content: center;
        padding: 0.5rem;
      }
    }
  `,
];
