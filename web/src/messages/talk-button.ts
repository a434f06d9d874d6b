// Words on the talk button.

import { translator } from '../lib/i18n';

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
    idle: 'halten / tippen',
    starting: 'verbinde…',
    held: 'Ende: loslassen',
    live: 'Ende: tippen',
    reconnecting: 'verbinde neu…',
  },
});
