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

export const bellIcon = picture(svg`
  <path d="M6 16.5v-6a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 20.5h4M12 2.5v2" />`);

export const chatIcon = picture(svg`
  <path d="M4 5.5h16v11h-9.5L6 20.5v-4H4z" />`);

export const gearIcon = picture(svg`
  <circle cx="12" cy="12" r="3" />
  <path d="m10.2 3-.5 2.4-1.9 1.1-2.3-.8-1.8 3.1 1.8 1.6v2.2l-1.8 1.6 1.8 3.1 2.3-.8 1.9 1.1.5 2.4h3.6l.5-2.4 1.9-1.1 2.3.8 1.8-3.1-1.8-1.6v-2.2l1.8-1.6-1.8-3.1-2.3.8-1.9-1.1-.5-2.4z" />`);

export const announceIcon = picture(svg`
  <path d="M4 10v4h3l9 4.5v-13L7 10zM7 14l1.5 5h2.5l-1-3.7M19 9.5a3.5 3.5 0 0 1 0 5" />`);

export const noteIcon = picture(svg`
  <path d="M9 17.5V5.5l10-2v11.5" />
  <circle cx="6.5" cy="17.5" r="2.5" fill="currentColor" /><circle cx="16.5" cy="15" r="2.5" fill="currentColor" />`);

export const playIcon = picture(svg`<path d="M7 4.5v15l12-7.5z" fill="currentColor" />`);

export const pauseIcon = picture(svg`<path d="M8 5v14M16 5v14" stroke-width="3.5" />`);

export const stopIcon = picture(svg`<rect x="6" y="6" width="12" height="12" rx="1.5" fill="currentColor" />`);

export const nextIcon = picture(svg`<path d="M5 5v14l10-7z" fill="currentColor" /><path d="M18.5 5v14" stroke-width="2.6" />`);

export const previousIcon = picture(svg`<path d="M19 5v14L9 12z" fill="currentColor" /><path d="M5.5 5v14" stroke-width="2.6" />`);

export const cameraIcon = picture(svg`
  <rect x="2.5" y="6.5" width="12.5" height="11" rx="2" fill="currentColor" stroke="none" /><path d="m15 11 6-3.5v9L15 13" />`);

export const screenIcon = picture(svg`
  <rect x="2.5" y="4.5" width="19" height="12.5" rx="1.5" /><path d="M8.5 20.5h7M12 14V8m-2.5 2L12 7.5l2.5 2.5" />`);

export const turnIcon = picture(svg`
  <path d="M4.5 9.5A8 8 0 0 1 19 8M19.5 14.5A8 8 0 0 1 5 16M19 3.5V8h-4.5M5 20.5V16h4.5" />`);
