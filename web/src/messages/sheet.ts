// Words of every sheet.

import { translator } from '../lib/i18n';

export const sheetWords = translator({
  en: { close: 'Close' },
  de: { close: 'Schließen' },
});
