// What the self-test says: how things are, and what to do about them.

import { translator } from '../lib/i18n';

/** What the self-test can say. */
export type Saying =
  | 'httpOk' | 'httpSlow' | 'httpUnwell' | 'httpNone'
  | 'socketOk' | 'socketNone'
  | 'microphoneOk' | 'microphoneAsks' | 'microphoneDenied' | 'microphoneObstacle' | 'microphoneFailed'
  | 'mp3Ok' | 'mp3Refused' | 'mp3Silent' | 'mp3Https' | 'mp3Idle' | 'mp3Unknown'
  | 'mediaOk' | 'mediaBlocked' | 'mediaUnknown'
  | 'filesOk' | 'filesBlocked' | 'filesUnknown'
  | 'qualityOk' | 'qualitySlow' | 'qualityLossy' | 'qualityNothing'
  | 'soundOk' | 'soundBlocked'
  | 'timersOk' | 'timersHidden' | 'timersLate'
  | 'clockOk' | 'clockOff' | 'clockUnknown';

/** What to do about it. */
export type Advice =
  | 'doHttp' | 'doHttpSlow' | 'doHttpUnwell' | 'doSocket' | 'doMicrophoneAsks' | 'doMicrophoneDenied'
  | 'doMp3' | 'doMp3Https' | 'doMedia' | 'doFiles' | 'doTalk' | 'doNetwork' | 'doTap' | 'doShow' | 'doTimers' | 'doClock';

/** Words of the self-test. */
export const diagnosisWords = translator<Saying | Advice>({
  en: {
    httpOk: 'The relay answers ({ms}\u00a0ms).',
    httpSlow: 'The relay answers slowly ({ms}\u00a0ms).',
    httpUnwell: 'The relay answers, but reports a problem.',
    httpNone: 'The relay doesn’t answer.',
    socketOk: 'The live connection to the relay opens ({ms}\u00a0ms).',
    socketNone: 'The live connection to the relay (WebSocket) doesn’t open.',
    microphoneOk: 'This page may use the microphone.',
    microphoneAsks: 'The browser will ask for the microphone when you talk.',
    microphoneDenied: 'The microphone is blocked for this page.',
    microphoneObstacle: 'This page can’t use the microphone.',
    microphoneFailed: 'Talking didn’t work last time.',
    mp3Ok: 'Media players can reach the relay’s MP3 port from here.',
    mp3Refused: 'The MP3 port {port} of {host} can’t be reached from here.',
    mp3Silent: 'The MP3 port {port} of {host} didn’t answer in time.',
    mp3Https: 'The MP3 port can’t be tested from an https page.',
    mp3Idle: 'The MP3 port is set to answer only while somebody talks, and nobody does.',
    mp3Unknown: 'The MP3 port isn’t known yet.',
    mediaOk: 'Voices get through between this device and the relay (UDP {port}).',
    mediaBlocked: 'Voices can’t get through: UDP {port} is blocked (firewall, guest Wi-Fi, VPN).',
    mediaUnknown: 'Couldn’t test whether voices get through: the relay didn’t answer.',
    filesOk: 'Sounds get through (UDP {port}).',
    filesBlocked: 'UDP {port} is blocked (firewall, guest Wi-Fi, VPN). Sounds play all the same, by http.',
    filesUnknown: 'Couldn’t test whether sounds get through by UDP.',
    qualityOk: 'The network is good enough: {ms}\u00a0ms there and back, {loss}\u00a0% lost.',
    qualitySlow: 'The network is slow: {ms}\u00a0ms there and back.',
    qualityLossy: 'The network loses audio: {loss}\u00a0% of it.',
    qualityNothing: 'The quality of the network isn’t known yet.',
    soundOk: 'The browser plays sound.',
    soundBlocked: 'Your browser blocks sound until you tap.',
    timersOk: 'The browser runs this page at full speed.',
    timersHidden: 'This page is in the background, where browsers slow pages down.',
    timersLate: 'The browser slows this page down (by {ms}\u00a0ms).',
    clockOk: 'The clocks of this device and of the relay agree.',
    clockOff: 'The clocks of this device and of the relay differ by {minutes} minutes.',
    clockUnknown: 'The relay’s clock isn’t known.',
    doHttp: 'Check that the relay’s machine is on and this device is on the same network (no guest Wi-Fi, no VPN). Then reload the page.',
    doHttpSlow: 'Move closer to the Wi-Fi, or check what keeps the relay’s machine busy.',
    doHttpUnwell: 'Restart the relay. If that doesn’t help, look at its log.',
    doSocket: 'If there is a proxy in front of the relay, make it pass WebSockets through. Firewalls and virus scanners may block them too.',
    doMicrophoneAsks: 'Choose “Allow” then.',
    doMicrophoneDenied: 'Allow it in the address bar or in the browser’s settings, then reload the page.',
    doMp3: 'Open port {port} (TCP) in the firewall of the relay’s machine. If there is a proxy in front of the relay, give players the relay’s own address.',
    doMp3Https: 'Players use the plain http address. Open {url} in a tab to test it.',
    doMedia: 'Open UDP in the firewall of the relay’s machine for {addresses}. Guest Wi-Fi, VPNs and “client isolation” block it too.',
    doFiles: 'To make sounds start sooner, open UDP {port} in the firewall of the relay’s machine.',
    doTalk: 'Talk or listen, then test again.',
    doNetwork: 'Move closer to the Wi-Fi, use 5 GHz or a cable, or stop large downloads.',
    doTap: 'Go back to the intercom and tap “Tap to hear”.',
    doShow: 'Keep the page in front while you test.',
    doTimers: 'Turn off energy saving, or close programs that keep this device busy.',
    doClock: 'Set both clocks from the network: https doesn’t work with a wrong clock.',
  },
  de: {
    httpOk: 'Die Anlage antwortet ({ms}\u00a0ms).',
    httpSlow: 'Die Anlage antwortet langsam ({ms}\u00a0ms).',
    httpUnwell: 'Die Anlage antwortet, meldet aber ein Problem.',
    httpNone: 'Die Anlage antwortet nicht.',
    socketOk: 'Die Live-Verbindung zur Anlage kommt zustande ({ms}\u00a0ms).',
    socketNone: 'Die Live-Verbindung zur Anlage (WebSocket) kommt nicht zustande.',
    microphoneOk: 'Diese Seite darf das Mikrofon benutzen.',
    microphoneAsks: 'Der Browser fragt nach dem Mikrofon, wenn du sprichst.',
    microphoneDenied: 'Das Mikrofon ist für diese Seite gesperrt.',
    microphoneObstacle: 'Diese Seite kann das Mikrofon nicht benutzen.',
    microphoneFailed: 'Das Sprechen hat beim letzten Mal nicht funktioniert.',
    mp3Ok: 'Player erreichen den MP3-Port der Anlage von hier aus.',
    mp3Refused: 'Der MP3-Port {port} von {host} ist von hier aus nicht zu erreichen.',
    mp3Silent: 'Der MP3-Port {port} von {host} hat nicht rechtzeitig geantwortet.',
    mp3Https: 'Von einer https-Seite aus lässt sich der MP3-Port nicht prüfen.',
    mp3Idle: 'Der MP3-Port ist so eingestellt, dass er nur antwortet, solange jemand spricht; im Moment spricht niemand.',
    mp3Unknown: 'Der MP3-Port ist noch nicht bekannt.',
    mediaOk: 'Stimmen kommen zwischen diesem Gerät und der Anlage durch (UDP {port}).',
    mediaBlocked: 'Stimmen kommen nicht durch: UDP {port} ist gesperrt (Firewall, Gäste-WLAN, VPN).',
    mediaUnknown: 'Ob Stimmen durchkommen, ließ sich nicht prüfen: Die Anlage hat nicht geantwortet.',
    filesOk: 'Klänge kommen durch (UDP {port}).',
    filesBlocked: 'UDP {port} ist gesperrt (Firewall, Gäste-WLAN, VPN). Klänge spielen trotzdem, über http.',
    filesUnknown: 'Ob Klänge über UDP durchkommen, ließ sich nicht prüfen.',
    qualityOk: 'Das Netz ist gut genug: {ms}\u00a0ms hin und zurück, {loss}\u00a0% verloren.',
    qualitySlow: 'Das Netz ist langsam: {ms}\u00a0ms hin und zurück.',
    qualityLossy: 'Das Netz verliert Ton: {loss}\u00a0% davon.',
    qualityNothing: 'Wie gut das Netz ist, ist noch nicht bekannt.',
    soundOk: 'Der Browser spielt Ton.',
    soundBlocked: 'Der Browser blockiert den Ton, bis du tippst.',
    timersOk: 'Der Browser lässt diese Seite in vollem Tempo laufen.',
    timersHidden: 'Diese Seite ist im Hintergrund; dort bremsen Browser.',
    timersLate: 'Der Browser bremst diese Seite (um {ms}\u00a0ms).',
    clockOk: 'Die Uhren dieses Geräts und der Anlage stimmen überein.',
    clockOff: 'Die Uhren dieses Geräts und der Anlage gehen {minutes} Minuten auseinander.',
    clockUnknown: 'Die Uhr der Anlage ist nicht bekannt.',
    doHttp: 'Prüfe, ob die Anlage an ist und dieses Gerät im selben Netz (kein Gäste-WLAN, kein VPN). Lade dann die Seite neu.',
    doHttpSlow: 'Geh näher ans WLAN, oder prüfe, was die Anlage beschäftigt.',
    doHttpUnwell: 'Starte die Anlage neu. Hilft das nicht, sieh in ihr Protokoll.',
    doSocket: 'Wenn ein Proxy vor der Anlage steht, lass ihn WebSockets durchreichen. Auch Firewalls und Virenscanner sperren sie manchmal.',
    doMicrophoneAsks: 'Wähle dann „Zulassen“.',
    doMicrophoneDenied: 'Erlaube es in der Adresszeile oder in den Einstellungen des Browsers und lade die Seite neu.',
    doMp3: 'Öffne Port {port} (TCP) in der Firewall der Anlage. Wenn ein Proxy davor steht, gib Playern die Adresse der Anlage selbst.',
    doMp3Https: 'Player nehmen die einfache http-Adresse. Öffne {url} in einem Tab, um sie zu prüfen.',
    doMedia: 'Öffne UDP in der Firewall der Anlage für {addresses}. Auch Gäste-WLAN, VPN und „Client-Isolation“ sperren es.',
    doFiles: 'Damit Klänge schneller beginnen, öffne UDP {port} in der Firewall der Anlage.',
    doTalk: 'Sprich oder höre zu, und prüfe dann noch einmal.',
    doNetwork: 'Geh näher ans WLAN, nimm 5 GHz oder ein Kabel, oder beende große Downloads.',
    doTap: 'Geh zurück zur Sprechanlage und tippe auf „Tippen zum Hören“.',
    doShow: 'Lass die Seite im Vordergrund, während du prüfst.',
    doTimers: 'Schalte das Energiesparen aus, oder schließe Programme, die dieses Gerät beschäftigen.',
    doClock: 'Lass beide Uhren aus dem Netz stellen: Mit falscher Uhr funktioniert https nicht.',
  },
});
