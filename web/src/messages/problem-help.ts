// Words around a problem.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    title: 'Nobody can hear you',
    heard: 'Your microphone stays as it was',
    listening: 'Listening works all the same.',
  },
  de: {
    title: 'Niemand kann dich hören',
    heard: 'Dein Mikrofon bleibt, wie es war',
    listening: 'Zuhören geht trotzdem.',
  },
});
