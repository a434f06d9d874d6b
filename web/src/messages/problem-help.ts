// Words around a problem.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    title: 'Nobody can hear you',
    heard: 'Your microphone hasn’t changed',
    listening: 'You can still listen.',
  },
  de: {
    title: 'Niemand kann dich hören',
    heard: 'Dein Mikrofon ist unverändert',
    listening: 'Zuhören kannst du trotzdem.',
  },
});
