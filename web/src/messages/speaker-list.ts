// Words of the list of speakers.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    title: 'Who is talking',
    nobody: 'Nobody at the moment.',
    you: 'You',
    speaker: 'Speaker {number}',
    off: 'not heard',
    connecting: 'connecting…',
    playing: 'heard',
    blocked: 'held back by the browser',
    listen: 'Hear {name}',
    volume: 'Volume of {name}',
    level: 'Level of {name}',
    details: 'Details',
    detailsOf: 'Details of {name}',
    limit: 'Only the latest {count} are heard at once.',
  },
  de: {
    title: 'Wer spricht',
    nobody: 'Gerade niemand.',
    you: 'Du',
    speaker: 'Sprecher {number}',
    off: 'nicht zu hören',
    connecting: 'verbinde…',
    playing: 'zu hören',
    blocked: 'vom Browser zurückgehalten',
    listen: '{name} hören',
    volume: 'Lautstärke von {name}',
    level: 'Pegel von {name}',
    details: 'Details',
    detailsOf: 'Details zu {name}',
    limit: 'Nur die letzten {count} sind gleichzeitig zu hören.',
  },
});
