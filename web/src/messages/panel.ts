// Words of the wall panel.

import { translator } from '../lib/i18n';

export const panelWords = translator({
  en: {
    title: 'Wall panel',
    full: 'Full screen',
    leave: 'Leave the panel',
    everyone: 'Call everyone',
    address: 'Address of this panel',
    addressHint: 'A tablet that opens this address is this device again, also after it was switched off, and even if its browser keeps nothing. Keep it to yourself: whoever opens it elsewhere is this device there.',
    away: 'The relay can’t be reached.',
    asleep: 'Touch the screen',
  },
  de: {
    title: 'Wanddisplay',
    full: 'Vollbild',
    leave: 'Wanddisplay verlassen',
    everyone: 'Alle anrufen',
    address: 'Adresse dieses Wanddisplays',
    addressHint: 'Ein Tablet, das diese Adresse öffnet, ist wieder dieses Gerät, auch wenn es ausgeschaltet war und selbst wenn sein Browser nichts behält. Behalte sie für dich: Wer sie anderswo öffnet, ist dort dieses Gerät.',
    away: 'Die Anlage ist nicht erreichbar.',
    asleep: 'Bildschirm berühren',
  },
});
