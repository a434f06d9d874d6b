// What the self-test says: how things are, and what to do about them.

import { translator } from '../lib/i18n';

/** What the self-test can say. */
export type Saying =
  | 'httpOk' | 'httpSlow' | 'httpUnwell' | 'httpNone'
  | 'socketOk' | 'socketNone'
  | 'microphoneOk' | 'microphoneAsks' | 'microphoneDenied' | 'microphoneObstacle' | 'microphoneFailed'
  | 'mp3Ok' | 'mp3Refused' | 'mp3Silent' | 'mp3Https' | 'mp3Idle' | 'mp3Unknown'
  | 'mediaOk' | 'mediaConnecting' | 'mediaNone' | 'mediaNothing'
  | 'qualityOk' | 'qualitySlow' | 'qualityLossy' | 'qualityNothing'
  | 'soundOk' | 'soundBlocked'
  | 'timersOk' | 'timersHidden' | 'timersLate'
  | 'clockOk' | 'clockOff' | 'clockUnknown';

/** What to do about it. */
export type Advice =
  | 'doHttp' | 'doHttpSlow' | 'doHttpUnwell' | 'doSocket' | 'doMicrophoneAsks' | 'doMicrophoneDenied'
  | 'doMp3' | 'doMp3Https' | 'doMedia' | 'doAgain' | 'doTalk' | 'doNetwork' | 'doTap' | 'doShow' | 'doTimers' | 'doClock';

/** Words of the self-test. */
export const diagnosisWords = translator<Saying | Advice>({
  en: {
    httpOk: 'The relay answers ({ms}\u00a0ms).',
    httpSlow: 'The relay answers slowly ({ms}\u00a0ms).',
    httpUnwell: 'The relay answers, but says that it is not well.',
    httpNone: 'The relay does not answer.',
    socketOk: 'The lasting connection to the relay opens ({ms}\u00a0ms).',
    socketNone: 'The lasting connection to the relay (WebSocket) does not open.',
    microphoneOk: 'This page may use the microphone.',
    microphoneAsks: 'The browser will ask for the microphone when you talk.',
    microphoneDenied: 'The microphone is blocked for this page.',
    microphoneObstacle: 'This page cannot use the microphone.',
    microphoneFailed: 'Talking did not work the last time.',
    mp3Ok: 'Media players can reach the relay’s MP3 port from here.',
    mp3Refused: 'The MP3 port {port} of {host} cannot be reached from here.',
    mp3Silent: 'The MP3 port {port} of {host} did not answer in time.',
    mp3Https: 'The MP3 port cannot be tested from a page with https.',
    mp3Idle: 'The MP3 port is set to answer only while somebody talks, and nobody does.',
    mp3Unknown: 'The relay has not told its MP3 port.',
    mediaOk: 'Sound finds its way between this device and the relay.',
    mediaConnecting: 'A connection for sound is just being made.',
    mediaNone: 'Sound does not get through between this device and the relay.',
    mediaNothing: 'There is no sound to measure yet.',
    qualityOk: 'The network is good enough: {ms}\u00a0ms there and back, {loss}\u00a0% lost.',
    qualitySlow: 'The network is slow: {ms}\u00a0ms there and back.',
    qualityLossy: 'The network loses sound: {loss}\u00a0% of it.',
    qualityNothing: 'The quality of the network is not known yet.',
    soundOk: 'The browser holds no sound back.',
    soundBlocked: 'The browser holds the sound back until you tap.',
    timersOk: 'The browser gives this page the time it needs.',
    timersHidden: 'This page is in the background, where browsers slow pages down.',
    timersLate: 'The browser lets this page wait (by {ms}\u00a0ms).',
    clockOk: 'The clocks of this device and of the relay agree.',
    clockOff: 'The clocks of this device and of the relay differ by {minutes} minutes.',
    clockUnknown: 'The relay’s clock is not known.',
    doHttp: 'See that the machine of the relay is on, and this device in the same network (no guest Wi-Fi, no VPN). Then load the page anew.',
    doHttpSlow: 'Come closer to the Wi-Fi, or see what keeps the relay’s machine busy.',
    doHttpUnwell: 'Restart the relay. If it stays so, look at its log.',
    doSocket: 'If there is a proxy before the relay, let it pass WebSockets on. Firewalls and virus scanners may block them too.',
    doMicrophoneAsks: 'Say “Allow” then.',
    doMicrophoneDenied: 'Allow it in the address bar or in the settings of the browser, then load the page anew.',
    doMp3: 'Open port {port} (TCP) in the firewall of the relay’s machine. If a proxy stands before the relay, give players the address of the relay itself.',
    doMp3Https: 'Players take the plain http address. Open {url} in a tab to test it.',
    doMedia: 'Open UDP in the firewall of the relay’s machine for {addresses}. Guest Wi-Fi, VPNs and “client isolation” block it too.',
    doAgain: 'Test again in some seconds.',
    doTalk: 'Start to talk or to listen, then test again.',
    doNetwork: 'Come closer to the Wi-Fi, take 5 GHz or a cable, or end large downloads.',
    doTap: 'Go back to the intercom and tap “Tap to hear”.',
    doShow: 'Keep the page in front while you test.',
    doTimers: 'Turn energy saving off, or close programs that keep this device busy.',
    doClock: 'Let both set their clocks by the network: with a wrong clock, https does not work.',
  },
  de: {
    httpOk: 'Die Anlage antwortet ({ms}\u00a0ms).',
    httpSlow: 'Die Anlage antwortet langsam ({ms}\u00a0ms).',
    httpUnwell: 'Die Anlage antwortet, sagt aber, dass es ihr nicht gut geht.',
    httpNone: 'Die Anlage antwortet nicht.',
    socketOk: 'Die dauernde Verbindung zur Anlage kommt zustande ({ms}\u00a0ms).',
    socketNone: 'Die dauernde Verbindung zur Anlage (WebSocket) kommt nicht zustande.',
    microphoneOk: 'Diese Seite darf das Mikrofon benutzen.',
    microphoneAsks: 'Der Browser fragt nach dem Mikrofon, wenn du sprichst.',
    microphoneDenied: 'Das Mikrofon ist für diese Seite gesperrt.',
    microphoneObstacle: 'Diese Seite kann das Mikrofon nicht benutzen.',
    microphoneFailed: 'Das Sprechen ging beim letzten Mal nicht.',
    mp3Ok: 'Abspielgeräte erreichen den MP3-Port der Anlage von hier aus.',
    mp3Refused: 'Der MP3-Port {port} von {host} ist von hier aus nicht zu erreichen.',
    mp3Silent: 'Der MP3-Port {port} von {host} hat nicht rechtzeitig geantwortet.',
    mp3Https: 'Von einer https-Seite aus lässt sich der MP3-Port nicht prüfen.',
    mp3Idle: 'Der MP3-Port ist so eingestellt, dass er nur antwortet, solange jemand spricht; im Moment spricht niemand.',
    mp3Unknown: 'Die Anlage hat ihren MP3-Port nicht genannt.',
    mediaOk: 'Ton findet seinen Weg zwischen diesem Gerät und der Anlage.',
    mediaConnecting: 'Eine Verbindung für Ton wird gerade aufgebaut.',
    mediaNone: 'Ton kommt zwischen diesem Gerät und der Anlage nicht durch.',
    mediaNothing: 'Noch gibt es keinen Ton zu messen.',
    qualityOk: 'Das Netz ist gut genug: {ms}\u00a0ms hin und zurück, {loss}\u00a0% verloren.',
    qualitySlow: 'Das Netz ist langsam: {ms}\u00a0ms hin und zurück.',
    qualityLossy: 'Das Netz verliert Ton: {loss}\u00a0% davon.',
    qualityNothing: 'Wie gut das Netz ist, ist noch nicht bekannt.',
    soundOk: 'Der Browser hält keinen Ton zurück.',
    soundBlocked: 'Der Browser hält den Ton zurück, bis du tippst.',
    timersOk: 'Der Browser gibt dieser Seite die Zeit, die sie braucht.',
    timersHidden: 'Diese Seite ist im Hintergrund; dort bremsen Browser.',
    timersLate: 'Der Browser lässt diese Seite warten (um {ms}\u00a0ms).',
    clockOk: 'Die Uhren dieses Geräts und der Anlage stimmen überein.',
    clockOff: 'Die Uhren dieses Geräts und der Anlage gehen {minutes} Minuten auseinander.',
    clockUnknown: 'Die Uhr der Anlage ist nicht bekannt.',
    doHttp: 'Sieh nach, ob das Gerät mit der Anlage an ist, und ob dieses Gerät im selben Netz ist (kein Gäste-WLAN, kein VPN). Lade dann die Seite neu.',
    doHttpSlow: 'Geh näher ans WLAN, oder sieh nach, was das Gerät mit der Anlage beschäftigt.',
    doHttpUnwell: 'Starte die Anlage neu. Wenn es so bleibt, sieh in ihr Protokoll.',
    doSocket: 'Wenn ein Proxy vor der Anlage steht, lass ihn WebSockets durchreichen. Auch Firewalls und Virenscanner sperren sie manchmal.',
    doMicrophoneAsks: 'Sag dann „Zulassen“.',
    doMicrophoneDenied: 'Erlaube es in der Adresszeile oder in den Einstellungen des Browsers und lade die Seite neu.',
    doMp3: 'Öffne Port {port} (TCP) in der Firewall des Geräts mit der Anlage. Wenn ein Proxy davor steht, gib Abspielgeräten die Adresse der Anlage selbst.',
    doMp3Https: 'Abspielgeräte nehmen die einfache http-Adresse. Öffne {url} in einem Tab, um sie zu prüfen.',
    doMedia: 'Öffne UDP in der Firewall des Geräts mit der Anlage für {addresses}. Auch Gäste-WLAN, VPN und „Client-Isolation“ sperren es.',
    doAgain: 'Prüfe in einigen Sekunden noch einmal.',
    doTalk: 'Fang an zu sprechen oder zuzuhören, und prüfe dann noch einmal.',
    doNetwork: 'Geh näher ans WLAN, nimm 5 GHz oder ein Kabel, oder beende große Downloads.',
    doTap: 'Geh zurück zur Sprechanlage und tippe auf „Tippen zum Hören“.',
    doShow: 'Lass die Seite im Vordergrund, während du prüfst.',
    doTimers: 'Schalte das Energiesparen aus, oder schließe Programme, die dieses Gerät beschäftigen.',
    doClock: 'Lass beide ihre Uhr aus dem Netz stellen: mit falscher Uhr geht https nicht.',
  },
});
