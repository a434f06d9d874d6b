// Words on the talk button.

import { translator } from '../i18n';

export const t = translator({
  en: {
    talk: 'Talk',
    idle: 'hold, or tap',
    starting: 'connecting…',
    held: 'release to end',
    live: 'tap to end',
    reconnecting: 'reconnecting…',
  },
  de: {
    talk: 'Sprechen',
    idle: 'halten oder tippen',
    starting: 'verbinde…',
    held: 'loslassen beendet',
    live: 'tippen beendet',
    reconnecting: 'verbinde neu…',
  },
});
