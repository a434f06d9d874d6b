// Why talking is not possible, and what to do about it on this device.

import { translator } from '../lib/i18n';
import type { Problem, ProblemCode } from '../session/problem';

/** Devices on which the microphone is allowed in different places. */
export type Device = 'android' | 'ios' | 'safari' | 'firefox' | 'chrome';

/** Where and on what the page is shown: what a way out depends on. */
export interface Place {
  /** The page's own address. */
  page: URL;
  /** Port of the relay's https address, if it has one. */
  tlsPort: number | null;
  userAgent: string;
}

/** One thing to do about a problem. */
export interface WayOut {
  words: string;
  /** Where that is done, if it is an address. */
  address?: string;
}

type DeniedKey = `denied-${Device}`;

const t = translator<ProblemCode | DeniedKey | 'secure' | 'certificate' | 'localhost' | 'homeAssistant' | 'ownTab'>({
  en: {
    insecure: 'This page was opened by plain http, and browsers allow the microphone only on secure pages (https).',
    framed: 'The page around this one doesn’t pass on the microphone.',
    unsupported: 'This browser has no microphone for pages. Try Chrome, Safari or Firefox.',
    denied: 'The microphone is blocked for this page.',
    policy: 'The address of this page forbids the microphone.',
    missing: 'There is no microphone on this device. Connect one and try again.',
    busy: 'Another program is using the microphone. Close it and try again.',
    unplugged: 'The microphone was disconnected.',
    lost: 'The connection was lost, so the microphone was closed. Talk again when the relay is back.',
    refused: 'The relay said: {detail}',
    unknown: 'The microphone couldn’t be opened. Try again. ({detail})',
    secure: 'Open the secure address instead: {address}',
    certificate: 'If the browser warns about that address, let it trust this relay once: {address}',
    localhost: 'On the machine that runs the relay, open {address}',
    homeAssistant: 'Or open the intercom inside Home Assistant, if you use that by https.',
    ownTab: 'Open the intercom in a tab of its own',
    'denied-android':
      'Tap the symbol left of the address, then Permissions, and allow the microphone. If it is not there: Android’s settings → Apps → your browser → Permissions → Microphone.',
    'denied-ios':
      'Tap the symbol beside the address, then Website Settings, and allow the microphone. For the app from the home screen: Settings → Apps → Safari → Microphone.',
    'denied-safari': 'In the menu Safari → Settings for this website…, set the microphone to Allow. Then reload the page.',
    'denied-firefox': 'Click the crossed-out microphone left of the address and remove the block. Then try again.',
    'denied-chrome':
      'Click the symbol left of the address and switch the microphone on. If it is on: allow your browser the microphone in the settings of the system.',
  },
  de: {
    insecure: 'Diese Seite wurde über einfaches http geöffnet, und Browser erlauben das Mikrofon nur auf sicheren Seiten (https).',
    framed: 'Die umgebende Seite gibt das Mikrofon nicht weiter.',
    unsupported: 'Dieser Browser gibt Seiten kein Mikrofon. Versuche Chrome, Safari oder Firefox.',
    denied: 'Das Mikrofon ist für diese Seite gesperrt.',
    policy: 'Die Adresse dieser Seite verbietet das Mikrofon.',
    missing: 'Dieses Gerät hat kein Mikrofon. Schließe eines an und versuche es noch einmal.',
    busy: 'Ein anderes Programm benutzt das Mikrofon. Schließe es und versuche es noch einmal.',
    unplugged: 'Das Mikrofon wurde abgezogen.',
    lost: 'Die Verbindung ging verloren, deshalb wurde das Mikrofon geschlossen. Sprich noch einmal, wenn die Anlage zurück ist.',
    refused: 'Die Anlage sagt: {detail}',
    unknown: 'Das Mikrofon ließ sich nicht öffnen. Versuche es noch einmal. ({detail})',
    secure: 'Öffne stattdessen die sichere Adresse: {address}',
    certificate: 'Wenn der Browser vor dieser Adresse warnt, lass ihn der Anlage einmal vertrauen: {address}',
    localhost: 'Auf dem Gerät, auf dem die Anlage läuft, öffne {address}',
    homeAssistant: 'Oder öffne die Sprechanlage in Home Assistant, wenn du es über https nutzt.',
    ownTab: 'Sprechanlage in einem eigenen Tab öffnen',
    'denied-android':
      'Tippe auf das Symbol links neben der Adresse, dann auf Berechtigungen, und erlaube das Mikrofon. Wenn es dort fehlt: Einstellungen von Android → Apps → dein Browser → Berechtigungen → Mikrofon.',
    'denied-ios':
      'Tippe auf das Symbol neben der Adresse, dann auf Website-Einstellungen, und erlaube das Mikrofon. Für die App vom Startbildschirm: Einstellungen → Apps → Safari → Mikrofon.',
    'denied-safari': 'Stelle im Menü Safari → Einstellungen für diese Website… das Mikrofon auf Erlauben. Lade dann die Seite neu.',
    'denied-firefox': 'Klicke auf das durchgestrichene Mikrofon links neben der Adresse und hebe die Sperre auf. Versuche es dann noch einmal.',
    'denied-chrome':
      'Klicke auf das Symbol links neben der Adresse und schalte das Mikrofon ein. Wenn es an ist: Erlaube deinem Browser das Mikrofon in den Einstellungen des Systems.',
  },
});

/** A problem as a person reads it. */
export function problemInWords({ code, detail }: Problem): string {
  return t(code, { detail });
}

/** What can be done about a problem here, the best way first. */
export function waysOut(code: ProblemCode, place: Place): WayOut[] {
  if (code === 'insecure') return waysToSecurity(place);
  if (code === 'framed') return [{ words: t('ownTab'), address: place.page.href }];
  if (code === 'denied') return [{ words: t(`denied-${deviceOf(place.userAgent)}`) }];
  return [];
}

function waysToSecurity({ page, tlsPort }: Place): WayOut[] {
  const secure: WayOut[] =
    tlsPort === null
      ? []
      : [
          { words: t('secure'), address: `https://${page.hostname}:${tlsPort}/` },
          { words: t('certificate'), address: new URL('#/trust', page).href },
        ];
  const port = page.port && `:${page.port}`;
  return [...secure, { words: t('localhost'), address: `http://localhost${port}/` }, { words: t('homeAssistant') }];
}

/** Tells devices apart by where they keep the microphone's permission. */
export function deviceOf(userAgent: string): Device {
  if (userAgent.includes('Android')) return 'android';
  // An iPad that asks for desktop pages calls itself a Macintosh, as Safari on a Mac does.
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios';
  if (userAgent.includes('Firefox/')) return 'firefox';
  return /Chrom(e|ium)\//.test(userAgent) || !userAgent.includes('Safari/') ? 'chrome' : 'safari';
}
