// Why talking is not possible, and what to do about it on this device.

import { translator } from '../i18n';
import type { Problem, ProblemCode } from '../session/problem';

const t = translator<ProblemCode>({
  en: {
    insecure: 'Browsers open the microphone only on secure pages. Open this page by its https address, or on the machine itself as http://localhost. Listening works here.',
    framed: 'The page around this one does not pass the microphone on. Open the intercom in a tab of its own. Listening works here.',
    unsupported: 'This browser gives pages no microphone. Try Chrome, Safari or Firefox. Listening works here.',
    denied: 'The microphone is blocked. Allow it in the address bar or in the settings of the browser, then try again.',
    policy: 'The address of this page forbids the microphone. Listening works here.',
    missing: 'There is no microphone on this device. Connect one and try again.',
    busy: 'Another program uses the microphone. Close it and try again.',
    unplugged: 'The microphone was disconnected.',
    lost: 'The connection was lost, so the microphone was closed. Talk again when the relay is back.',
    refused: 'The relay said: {detail}',
    unknown: 'The microphone could not be opened. Try again. ({detail})',
  },
  de: {
    insecure: 'Browser öffnen das Mikrofon nur auf sicheren Seiten. Öffne diese Seite über ihre https-Adresse, oder auf dem Gerät selbst als http://localhost. Zuhören geht hier.',
    framed: 'Die umgebende Seite gibt das Mikrofon nicht weiter. Öffne die Sprechanlage in einem eigenen Tab. Zuhören geht hier.',
    unsupported: 'Dieser Browser gibt Seiten kein Mikrofon. Versuche Chrome, Safari oder Firefox. Zuhören geht hier.',
    denied: 'Das Mikrofon ist gesperrt. Erlaube es in der Adresszeile oder in den Einstellungen des Browsers und versuche es noch einmal.',
    policy: 'Die Adresse dieser Seite verbietet das Mikrofon. Zuhören geht hier.',
    missing: 'Dieses Gerät hat kein Mikrofon. Schließe eines an und versuche es noch einmal.',
    busy: 'Ein anderes Programm benutzt das Mikrofon. Schließe es und versuche es noch einmal.',
    unplugged: 'Das Mikrofon wurde abgezogen.',
    lost: 'Die Verbindung ging verloren, deshalb wurde das Mikrofon geschlossen. Sprich noch einmal, wenn die Anlage zurück ist.',
    refused: 'Die Anlage sagt: {detail}',
    unknown: 'Das Mikrofon ließ sich nicht öffnen. Versuche es noch einmal. ({detail})',
  },
});

/** A problem as a person reads it. */
export function problemInWords({ code, detail }: Problem): string {
  return t(code, { detail });
}
