// Words of the settings.

import { translator } from '../lib/i18n';

export const t = translator({
  en: {
    back: 'Back to the intercom',
    settings: 'Settings',
    title: 'On this device',
    name: 'Your name',
    nameHint: 'How others see you, for example Anna or Kitchen',
    microphone: 'Microphone',
    loudspeaker: 'Loudspeaker',
    default: 'System default',
    echoCancellation: 'Echo cancellation',
    noiseSuppression: 'Noise suppression',
    autoGainControl: 'Automatic volume',
    testSound: 'Play a test sound',
    testMicrophone: 'Test the microphone',
    endTest: 'End the test',
    testHint: 'Nobody hears this. Speak, and the bar moves.',
    level: 'Level of your microphone',
  },
  de: {
    back: 'Zurück zur Sprechanlage',
    settings: 'Einstellungen',
    title: 'Auf diesem Gerät',
    name: 'Dein Name',
    nameHint: 'So sehen dich andere, zum Beispiel Anna oder Küche',
    microphone: 'Mikrofon',
    loudspeaker: 'Lautsprecher',
    default: 'Systemvorgabe',
    echoCancellation: 'Echounterdrückung',
    noiseSuppression: 'Rauschunterdrückung',
    autoGainControl: 'Automatische Lautstärke',
    testSound: 'Testton abspielen',
    testMicrophone: 'Mikrofon testen',
    endTest: 'Test beenden',
    testHint: 'Niemand hört das. Sprich, dann bewegt sich der Balken.',
    level: 'Pegel deines Mikrofons',
  },
});
