// Words of the settings.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    title: 'Settings',
    name: 'Your name',
    nameHint: 'How others see you, for example Anna or Kitchen',
    microphone: 'Microphone',
    loudspeaker: 'Loudspeaker',
    default: 'As the system chooses',
    echoCancellation: 'Echo cancellation',
    noiseSuppression: 'Noise suppression',
    autoGainControl: 'Even loudness of your voice',
    testSound: 'Play a test sound',
    testMicrophone: 'Test the microphone',
    endTest: 'End the test',
    testHint: 'Nobody hears this. Speak: the bar should move.',
    level: 'Level of your microphone',
  },
  de: {
    title: 'Einstellungen',
    name: 'Dein Name',
    nameHint: 'So sehen dich andere, zum Beispiel Anna oder Küche',
    microphone: 'Mikrofon',
    loudspeaker: 'Lautsprecher',
    default: 'Wie das System wählt',
    echoCancellation: 'Echo unterdrücken',
    noiseSuppression: 'Geräusche unterdrücken',
    autoGainControl: 'Stimme gleichmäßig laut',
    testSound: 'Testton spielen',
    testMicrophone: 'Mikrofon testen',
    endTest: 'Test beenden',
    testHint: 'Niemand hört das. Sprich: Der Balken sollte sich bewegen.',
    level: 'Pegel deines Mikrofons',
  },
});
