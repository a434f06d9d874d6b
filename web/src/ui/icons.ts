// Pictures on buttons, drawn in the colour of the words beside them.

import { svg, type TemplateResult } from 'lit';

const picture = (paths: TemplateResult<2>): TemplateResult<2> => svg`
  <svg viewBox="0 0 24 24" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.8"
    stroke-linecap="round" stroke-linejoin="round">${paths}</svg>`;

export const microphoneIcon = picture(svg`
  <rect x="9" y="2.5" width="6" height="11" rx="3" fill="currentColor" stroke="none" />
  <path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7" />`);

export const mutedIcon = picture(svg`
  <rect x="9" y="2.5" width="6" height="11" rx="3" />
  <path d="M5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21M8.5 21h7M4 3l16 18" />`);

export const loudspeakerIcon = picture(svg`
  <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" fill="currentColor" />
  <path d="M15.5 9a4.2 4.2 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />`);

export const silentIcon = picture(svg`
  <path d="M4 9.5v5h3.5L12 18.5v-13L7.5 9.5z" />
  <path d="m16 9.5 5 5m0-5-5 5" />`);

export const chatIcon = picture(svg`
  <path d="M4 5.5h16v11h-9.5L6 20.5v-4H4z" />`);
