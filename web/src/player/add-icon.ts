// The picture on the button that puts a sound into the queue.

import { svg } from 'lit';

export const addIcon = svg`
  <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round">
    <path d="M4 6.5h16M4 12h9M4 17.5h9M18 11.5v7M14.5 15h7" />
  </svg>`;
