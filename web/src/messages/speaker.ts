// A room on a loudspeaker: how devices and players come to it.

import { translator } from '../lib/i18n';
import type { PlayerKind } from '../lib/stream-addresses';

type Key =
  | 'back' | 'title' | 'share' | 'shareNote' | 'thisPage' | 'shareButton' | 'qr' | 'outer'
  | 'players' | 'latestNote' | 'roomNote' | 'pinNote' | 'plainNote' | 'noPort'
  | 'copy' | 'copied' | 'marked'
  | `for_${PlayerKind}` | `delay_${PlayerKind}`;

/** Words of the page with a room's addresses. */
export const speakerWords = translator<Key>({
  en: {
    back: 'Back to the intercom',
    title: '{room} on a speaker',
    share: 'Open it on another device',
    shareNote: 'Scan this with the camera of a phone, or copy the link.',
    thisPage: 'Link to this page',
    shareButton: 'Share…',
    qr: 'QR code with the link to this page',
    outer: 'This page is open as “{host}”, which other devices can’t reach. The link and the addresses use {outer} instead.',
    players: 'Give your player one of these addresses',
    latestNote: 'These play whoever is talking, and go on with the next. While nobody talks they are silent.',
    roomNote: 'These play everybody who talks in this room, and are silent while nobody does.',
    pinNote: 'This room has a PIN: add ?pin= and the PIN to the address, or &pin= where it has a question mark already.',
    plainNote: 'These addresses are plain http on purpose: media players at home rarely support https.',
    noPort: 'The addresses appear as soon as the relay’s port is known.',
    copy: 'Copy',
    copied: 'Copied',
    marked: 'This browser doesn’t let pages copy. The text is selected: copy it yourself.',
    for_default: 'Most players: VLC, ffmpeg, mpg123, GStreamer',
    delay_default: 'About 0.1 seconds behind, plus the player’s buffer.',
    for_esphome: 'Home Assistant’s speakers: ESPHome, Voice PE',
    delay_esphome: 'About 2 seconds behind; begins at once.',
    for_cast: 'Google Cast: Nest, Chromecast',
    delay_cast: 'About 1 second behind, plus the player’s buffer.',
    for_sonos: 'Sonos',
    delay_sonos: 'At least 3 seconds behind: Sonos buffers several.',
    for_browser: 'A web page with its own player',
    delay_browser: 'About 2 seconds behind; begins at once.',
    for_close: 'Small and old players: ESP32, internet radios',
    delay_close: 'About 0.1 seconds behind, plus the player’s buffer.',
    for_wav: 'Programs that want uncompressed sound (WAV, 0.8 Mbit/s)',
    delay_wav: 'About 0.05 seconds behind, plus the player’s buffer.',
    for_opus: 'Programs that play Ogg Opus: the voice exactly as it was sent',
    delay_opus: 'The player’s buffer; browsers wait about 6 seconds.',
  },
  de: {
    back: 'Zurück zur Sprechanlage',
    title: '{room} auf einem Lautsprecher',
    share: 'Auf einem anderen Gerät öffnen',
    shareNote: 'Scanne dies mit der Kamera eines Telefons, oder kopiere den Link.',
    thisPage: 'Link zu dieser Seite',
    shareButton: 'Teilen…',
    qr: 'QR-Code mit dem Link zu dieser Seite',
    outer: 'Diese Seite ist als „{host}“ geöffnet; so erreichen andere Geräte sie nicht. Link und Adressen verwenden stattdessen {outer}.',
    players: 'Gib deinem Player eine dieser Adressen',
    latestNote: 'Diese spielen, wer gerade spricht, und gehen mit der nächsten Person weiter. Solange niemand spricht, sind sie still.',
    roomNote: 'Diese spielen alle, die in diesem Raum sprechen. Solange niemand spricht, sind sie still.',
    pinNote: 'Dieser Raum hat eine PIN: Hänge ?pin= und die PIN an die Adresse, oder &pin=, wo schon ein Fragezeichen steht.',
    plainNote: 'Diese Adressen sind mit Absicht einfaches http: Player zu Hause können selten https.',
    noPort: 'Die Adressen erscheinen, sobald der Port der Anlage bekannt ist.',
    copy: 'Kopieren',
    copied: 'Kopiert',
    marked: 'Dieser Browser lässt Seiten nicht kopieren. Der Text ist markiert: Kopiere ihn selbst.',
    for_default: 'Die meisten Player: VLC, ffmpeg, mpg123, GStreamer',
    delay_default: 'Etwa 0,1 Sekunden später, dazu der Puffer des Players.',
    for_esphome: 'Lautsprecher von Home Assistant: ESPHome, Voice PE',
    delay_esphome: 'Etwa 2 Sekunden später; beginnt sofort.',
    for_cast: 'Google Cast: Nest, Chromecast',
    delay_cast: 'Etwa 1 Sekunde später, dazu der Puffer des Players.',
    for_sonos: 'Sonos',
    delay_sonos: 'Mindestens 3 Sekunden später: Sonos puffert mehrere.',
    for_browser: 'Eine Webseite mit eigenem Player',
    delay_browser: 'Etwa 2 Sekunden später; beginnt sofort.',
    for_close: 'Kleine und alte Player: ESP32, Internetradios',
    delay_close: 'Etwa 0,1 Sekunden später, dazu der Puffer des Players.',
    for_wav: 'Programme, die unkomprimierten Ton wollen (WAV, 0,8 Mbit/s)',
    delay_wav: 'Etwa 0,05 Sekunden später, dazu der Puffer des Players.',
    for_opus: 'Programme, die Ogg Opus spielen: die Stimme genau so, wie sie gesendet wurde',
    delay_opus: 'Der Puffer des Players; Browser warten etwa 6 Sekunden.',
  },
});
