// What keeps sound from getting through, though everything else works.

import { translator } from '../lib/i18n';
import type { Blockage } from '../session/carriage';

export const obstacleWords = translator({
  en: {
    blocked: 'Sound can’t get through: UDP {port} is blocked (firewall, guest Wi-Fi, VPN).',
    blockedSomewhere: 'Sound can’t get through: UDP is blocked (firewall, guest Wi-Fi, VPN).',
    noSound: 'No sound',
    microphoneOpen: 'The microphone is on.',
    silent: 'Your microphone gives no sound. Is it muted, or is it the wrong one?',
  },
  de: {
    blocked: 'Der Ton kommt nicht durch: UDP {port} ist gesperrt (Firewall, Gäste-WLAN, VPN).',
    blockedSomewhere: 'Der Ton kommt nicht durch: UDP ist gesperrt (Firewall, Gäste-WLAN, VPN).',
    noSound: 'Kein Ton',
    microphoneOpen: 'Das Mikrofon ist an.',
    silent: 'Dein Mikrofon liefert keinen Ton. Ist es stumm, oder ist es das falsche?',
  },
});

/** That no sound gets through, as a person reads it. */
export function blockageInWords({ port }: Blockage): string {
  return port === null ? obstacleWords('blockedSomewhere') : obstacleWords('blocked', { port });
}
