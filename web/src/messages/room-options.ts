// Words of what may be chosen of a room.

import { translator } from '../lib/i18n';

export const optionWords = translator({
  en: {
    title: 'This room',
    talkTones: 'Tones',
    talkTonesHint: 'A short tone when somebody begins to talk in the quiet room, and when they have finished. Turn it off for a baby monitor.',
    halfDuplex: 'One at a time',
    halfDuplexHint: 'For a room with a loud loudspeaker: while somebody talks, nobody else is heard, so nothing echoes.',
    dropIn: 'Devices may answer by themselves',
    dropInHint: 'When this room is called, devices in it that are set to answer by themselves do so.',
    live: 'Live on speakers',
    liveHint: 'When you talk here, these media players play it too, a few seconds later, and are as they were afterwards. Chosen for this device.',
    unreachable: 'The relay can’t be reached.',
  },
  de: {
    title: 'Dieser Raum',
    talkTones: 'Töne',
    talkTonesHint: 'Ein kurzer Ton, wenn im stillen Raum jemand zu sprechen beginnt oder aufhört. Für ein Babyfon ausschalten.',
    halfDuplex: 'Nacheinander sprechen',
    halfDuplexHint: 'Für einen Raum mit lautem Lautsprecher: Solange jemand spricht, ist sonst niemand zu hören, und nichts hallt.',
    dropIn: 'Geräte dürfen von selbst annehmen',
    dropInHint: 'Wird dieser Raum angerufen, nehmen Geräte von selbst an, die so eingestellt sind.',
    live: 'Live auf Lautsprechern',
    liveHint: 'Wenn du hier sprichst, spielen es auch diese Abspielgeräte, einige Sekunden später, und sind danach wie zuvor. Gilt für dieses Gerät.',
    unreachable: 'Die Anlage ist nicht erreichbar.',
  },
});
