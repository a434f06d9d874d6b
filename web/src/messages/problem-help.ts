// Words around a problem.

import { translator } from '../i18n';

export const t = translator({
  en: { title: 'Nobody can hear you', listening: 'Listening works all the same.' },
  de: { title: 'Niemand kann dich hören', listening: 'Zuhören geht trotzdem.' },
});
