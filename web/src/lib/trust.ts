// What there is to know about the certificate of the relay, and about the device that should trust it.

/** The answer of `/api/trust`. */
export interface TrustFacts {
  /** Null: there is no https. */
  tls_port: number | null;
  /** What https shows: the names and addresses it is for, and its end in unix seconds. */
  certificate: { names: string[]; ends: number } | null;
  /** Who has made it; null when it is not one of the relay's own. */
  authority: { fingerprint: string; confines: string[]; ends: number } | null;
}

/** Kinds of devices, each with steps of its own. */
export const DEVICES = ['ios', 'android', 'windows', 'mac', 'linux', 'firefox'] as const;
export type Device = (typeof DEVICES)[number];

/** The device at hand. iPads say that they are Macs, but a Mac has no touch screen. */
export function deviceOf(userAgent: string, touchPoints: number): Device {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios';
  if (userAgent.includes('Macintosh') && touchPoints > 1) return 'ios';
  if (userAgent.includes('Android')) return 'android';
  if (userAgent.includes('Firefox/')) return 'firefox';
  if (userAgent.includes('Windows')) return 'windows';
  return userAgent.includes('Macintosh') ? 'mac' : 'linux';
}

/** Where https is: under the name that this page was opened by, if the certificate is for it; null without https. */
export function secureAddress(facts: TrustFacts, hostname: string): string | null {
  if (facts.tls_port === null) return null;
  const [bare, names] = [hostname.replace(/^\[|\]$/g, ''), facts.certificate?.names ?? []];
  const usable = names.filter((name) => !name.includes('*') && !isLoopback(name));
  const name = names.includes(bare) ? bare : (usable.find(isIpv4) ?? usable[0] ?? bare);
  return `https://${name.includes(':') ? `[${name}]` : name}:${facts.tls_port}/`;
}

function isIpv4(name: string): boolean {
  return /^[\d.]+$/.test(name);
}

function isLoopback(name: string): boolean {
  return name === 'localhost' || name === '::1' || name.startsWith('127.');
}
