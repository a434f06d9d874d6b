// How a device is told to trust the relay's certificate, and what that means.

import { translator } from '../lib/i18n';
import type { Device } from '../lib/trust';

type Word =
  | 'back'
  | 'title'
  | 'why'
  | 'loading'
  | 'failed'
  | 'off'
  | 'foreign'
  | 'secure'
  | 'open'
  | 'steps'
  | 'certificate'
  | 'profile'
  | 'fingerprint'
  | 'compare'
  | 'meaning'
  | 'meaningTrust'
  | 'meaningLimit'
  | 'meaningKey'
  | 'ios'
  | 'ios1'
  | 'ios2'
  | 'ios3'
  | 'android'
  | 'android1'
  | 'android2'
  | 'windows'
  | 'windows1'
  | 'windows2'
  | 'windows3'
  | 'mac'
  | 'mac1'
  | 'mac2'
  | 'mac3'
  | 'linux'
  | 'linux1'
  | 'linux2'
  | 'firefox'
  | 'firefox1'
  | 'firefox2'
  | 'last';

const en: Record<Word, string> = {
  back: 'Back to the intercom',
  title: 'Secure connection',
  why: 'Browsers open the microphone only on secure pages. At home nobody but you can vouch for your relay: each device is told once to trust it.',
  loading: 'Asking the relay…',
  failed: 'The relay doesn’t answer. Try again when the page is connected.',
  off: 'This relay has no https: its log says why. Until then, talking works on the machine itself, at http://localhost.',
  foreign: 'This relay has the certificate of your Home Assistant: there is nothing to install. Open it by this address.',
  secure: 'This page is already secure. The steps below are for your other devices.',
  open: 'Open the secure page',
  steps: 'Steps',
  certificate: 'Download the certificate',
  profile: 'Download the profile',
  fingerprint: 'Fingerprint (SHA-256)',
  compare: 'Your device shows the same one before or after it is installed. The relay also writes it to its log at every start: compare it with that if you do not trust this network.',
  meaning: 'What it means to trust it',
  meaningTrust: 'Your relay has made a certificate authority of its own. A device that trusts it believes every certificate that this authority signs.',
  meaningLimit: 'The authority is confined to names and addresses at home: {confines}. It cannot vouch for any other website, such as your bank; current browsers hold it to that.',
  meaningKey: 'Its key never leaves the machine that the relay runs on. Whoever gets hold of that machine could pass as these names and addresses: when you give it away, remove the authority from your devices.',
  ios: 'iPhone and iPad',
  ios1: 'Use Safari for this, and allow the download.',
  ios2: 'Open Settings → General → VPN & Device Management → Voice Relay, and install it. Under “More Details” is the fingerprint.',
  ios3: 'Open Settings → General → About → Certificate Trust Settings (at the very end), and switch Voice Relay on.',
  android: 'Android',
  android1: 'Open Settings and search for “CA certificate” (Security → Encryption & credentials → Install a certificate). Choose “Install anyway”, then the file voice-relay-ca.crt.',
  android2: 'Use Chrome. It shows the fingerprint under Trusted credentials → User. Android will remark from time to time that the network may be monitored: that is this certificate.',
  windows: 'Windows (Edge and Chrome)',
  windows1: 'Open the file, then choose “Install Certificate”, “Current User”.',
  windows2: 'Choose “Place all certificates in the following store”, and there “Trusted Root Certification Authorities”.',
  windows3: 'Confirm the warning, then restart the browser.',
  mac: 'Mac (Safari and Chrome)',
  mac1: 'Open the file: Keychain Access adds it to the keychain “login”.',
  mac2: 'Find “Voice Relay” there under Certificates, and open it. The fingerprint is at the end.',
  mac3: 'Under “Trust”, choose “Always Trust”, close the window and enter your password.',
  linux: 'Linux (Chromium and Chrome)',
  linux1: 'Open chrome://certificate-manager, then Local certificates → Installed by you (in older versions: Settings → Security → Manage certificates → Authorities).',
  linux2: 'Import the file as a trusted certificate, for identifying websites.',
  firefox: 'Firefox on a computer',
  firefox1: 'Open Settings → Privacy & Security → View Certificates → Authorities → Import.',
  firefox2: 'Tick “Trust this CA to identify websites”. “View” shows the fingerprint.',
  last: 'Keep it as a bookmark or on the home screen.',
};

const de: Record<Word, string> = {
  back: 'Zurück zur Sprechanlage',
  title: 'Sichere Verbindung',
  why: 'Browser öffnen das Mikrofon nur auf sicheren Seiten. Zu Hause kann nur jemand für deine Sprechanlage bürgen: du. Jedem Gerät wird einmal gesagt, dass es ihr vertrauen soll.',
  loading: 'Die Anlage wird gefragt…',
  failed: 'Die Anlage antwortet nicht. Versuche es noch einmal, wenn die Seite verbunden ist.',
  off: 'Diese Anlage hat kein https: Ihr Protokoll sagt, warum. Sprechen funktioniert solange am Gerät selbst, unter http://localhost.',
  foreign: 'Diese Anlage hat das Zertifikat deines Home Assistant: Es gibt nichts zu installieren. Öffne sie unter dieser Adresse.',
  secure: 'Diese Seite ist schon sicher. Die Schritte hier sind für deine anderen Geräte.',
  open: 'Die sichere Seite öffnen',
  steps: 'Schritte',
  certificate: 'Zertifikat herunterladen',
  profile: 'Profil herunterladen',
  fingerprint: 'Fingerabdruck (SHA-256)',
  compare: 'Dein Gerät zeigt denselben, bevor oder nachdem er installiert ist. Die Anlage schreibt ihn auch bei jedem Start in ihr Protokoll: Vergleiche damit, wenn du diesem Netz nicht traust.',
  meaning: 'Was dieses Vertrauen bedeutet',
  meaningTrust: 'Deine Anlage hat eine eigene Zertifizierungsstelle angelegt. Ein Gerät, das ihr vertraut, glaubt jedem Zertifikat, das diese Stelle unterschreibt.',
  meaningLimit: 'Die Stelle ist auf Namen und Adressen zu Hause beschränkt: {confines}. Für andere Seiten, etwa deine Bank, kann sie nicht bürgen; heutige Browser achten darauf.',
  meaningKey: 'Ihr Schlüssel verlässt das Gerät nie, auf dem die Anlage läuft. Wer dieses Gerät in die Hand bekommt, könnte sich als diese Namen und Adressen ausgeben: Entferne die Stelle von deinen Geräten, wenn du es weggibst.',
  ios: 'iPhone und iPad',
  ios1: 'Nimm dazu Safari und erlaube das Herunterladen.',
  ios2: 'Öffne Einstellungen → Allgemein → VPN und Geräteverwaltung → Voice Relay und installiere es. Unter „Mehr Details“ steht der Fingerabdruck.',
  ios3: 'Öffne Einstellungen → Allgemein → Info → Zertifikatsvertrauenseinstellungen (ganz unten) und schalte Voice Relay ein.',
  android: 'Android',
  android1: 'Öffne die Einstellungen und suche nach „CA-Zertifikat“ (Sicherheit → Verschlüsselung und Anmeldedaten → Zertifikat installieren). Wähle „Trotzdem installieren“, dann die Datei voice-relay-ca.crt.',
  android2: 'Nimm Chrome. Den Fingerabdruck zeigt Vertrauenswürdige Anmeldedaten → Nutzer. Android meldet gelegentlich, das Netzwerk werde vielleicht überwacht: Gemeint ist dieses Zertifikat.',
  windows: 'Windows (Edge und Chrome)',
  windows1: 'Öffne die Datei, wähle „Zertifikat installieren“, „Aktueller Benutzer“.',
  windows2: 'Wähle „Alle Zertifikate in folgendem Speicher speichern“, und dort „Vertrauenswürdige Stammzertifizierungsstellen“.',
  windows3: 'Bestätige die Warnung und starte den Browser neu.',
  mac: 'Mac (Safari und Chrome)',
  mac1: 'Öffne die Datei: Die Schlüsselbundverwaltung nimmt das Zertifikat in den Schlüsselbund „Anmeldung“ auf.',
  mac2: 'Öffne dort unter Zertifikate „Voice Relay“. Der Fingerabdruck steht am Ende.',
  mac3: 'Wähle unter „Vertrauen“ „Immer vertrauen“, schließe das Fenster und gib dein Passwort ein.',
  linux: 'Linux (Chromium und Chrome)',
  linux1: 'Öffne chrome://certificate-manager, dann Lokale Zertifikate → Von dir installiert (in älteren Versionen: Einstellungen → Sicherheit → Zertifikate verwalten → Zertifizierungsstellen).',
  linux2: 'Importiere die Datei als vertrauenswürdiges Zertifikat, zur Identifizierung von Websites.',
  firefox: 'Firefox am Computer',
  firefox1: 'Öffne Einstellungen → Datenschutz & Sicherheit → Zertifikate anzeigen → Zertifizierungsstellen → Importieren.',
  firefox2: 'Setze das Häkchen bei „Dieser CA vertrauen, um Websites zu identifizieren“. „Ansicht“ zeigt den Fingerabdruck.',
  last: 'Behalte sie als Lesezeichen oder auf dem Startbildschirm.',
};

/** The words of this view. */
export const t = translator<Word>({ en, de });

/** What is to be done on each device, once the file is there. */
export const STEPS: Record<Device, Word[]> = {
  ios: ['ios1', 'ios2', 'ios3'],
  android: ['android1', 'android2'],
  windows: ['windows1', 'windows2', 'windows3'],
  mac: ['mac1', 'mac2', 'mac3'],
  linux: ['linux1', 'linux2'],
  firefox: ['firefox1', 'firefox2'],
};
