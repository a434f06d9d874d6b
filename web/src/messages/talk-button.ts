// Words on the talk button.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    talk: 'Talk',
    talkTo: 'Talk to',
    idle: 'hold, or tap',
    starting: 'connecting…',
    held: 'release to stop',
    live: 'tap to stop',
    reconnecting: 'reconnecting…',
  },
  de: {
    talk: 'Sprechen',
    talkTo: 'Sprechen',
    idle: 'halten / tippen',
    starting: 'verbinde…',
    held: 'Ende: loslassen',
    live: 'Ende: tippen',
    reconnecting: 'verbinde neu…',
  },
});
