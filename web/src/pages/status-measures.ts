// The numbers of a connection as a person reads them, on the status page and in its report.

import { spoken } from '../lib/i18n';
import type { LoggedConnection } from '../lib/connection-log';
import { statusWords as t } from '../messages/status';
import type { RelayInfo } from '../lib/relay-info';
import type { HouseView } from '../house/house-view';
import { nameOf } from '../house/presence';
import { estimatedDelay, rangeOf, type Measures } from '../lib/statistics';

/** Measures that are shown, each with a chart. */
export type MeasureName = Exclude<keyof Measures, 'playoutMs'>;

/** A name and what it is. */
export type Line = readonly [name: string, value: string];

interface Shape {
  name: MeasureName;
  unit: string;
  digits: number;
  /** A chart's top is never lower, so that what is no trouble looks like none. */
  top: number;
}

const SHAPES: readonly Shape[] = [
  { name: 'roundTripMs', unit: 'ms', digits: 1, top: 20 },
  { name: 'jitterMs', unit: 'ms', digits: 1, top: 10 },
  { name: 'lossPercent', unit: '%', digits: 1, top: 5 },
  { name: 'kilobits', unit: 'kbit/s', digits: 0, top: 40 },
  { name: 'bufferMs', unit: 'ms', digits: 0, top: 80 },
];

/** One row of the table of a connection. */
export interface Row {
  name: MeasureName;
  label: string;
  now: string;
  range: string;
  values: (number | null)[];
  top: number;
}

/** What is measured of a connection; the jitter buffer only where there is one. */
export function rowsOf({ role, history }: LoggedConnection): Row[] {
  const shapes = SHAPES.filter(({ name }) => role === 'hear' || name !== 'bufferMs');
  return shapes.map(({ name, unit, digits, top }) => {
    const values = history.map((measures) => measures[name]);
    const written = (value: number) => new Intl.NumberFormat(spoken(), { maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
    const [now, range] = [values.at(-1) ?? null, rangeOf(values)];
    return {
      name,
      label: t(`measure_${name}`),
      now: now === null ? '–' : `${written(now)} ${unit}`,
      range: range ? t('range', { least: written(range.least), most: `${written(range.most)} ${unit}` }) : '–',
      values,
      top,
    };
  });
}

/** The end-to-end delay of a connection, as a sentence. */
export function delayOf({ role, history }: LoggedConnection): string {
  const newest = history.at(-1);
  const delay = newest ? estimatedDelay(role, newest) : null;
  if (delay === null) return t('delayUnknown');
  return t(role === 'talk' ? 'delayTalk' : 'delayHear', { ms: Math.round(delay) });
}

/** Whose sound a connection carries. */
export function titleOf({ role, roomId }: LoggedConnection, view: HouseView): string {
  const room = view.places?.find((place) => place.room.id === roomId)?.room;
  return t(role, { room: room ? nameOf(room) : roomId });
}

/** How a connection is made. */
export function linesOf({ peer, sample }: LoggedConnection): Line[] {
  const address = (written: string | null) => (written?.startsWith(':') ? t('hidden', { port: written.slice(1) }) : (written ?? t('unknown')));
  return [
    [t('ice'), peer.iceConnectionState],
    // Where the browser has no report of its own, the whole connection is as well as its DTLS.
    [t('dtls'), sample.dtls ?? peer.connectionState],
    [t('codec'), sample.codec ?? t('unknown')],
    [t('local'), address(sample.local)],
    [t('remote'), address(sample.remote)],
  ];
}

/** What is known of the relay. */
export function relayLines(info: RelayInfo | null, base: URL): Line[] {
  const known = (value: string | number | undefined) => String(value ?? t('unknown'));
  return [
    [t('address'), base.href],
    [t('version'), known(info?.version)],
    [t('uptime'), info ? uptimeInWords(info.uptime_seconds) : t('unknown')],
    [t('mp3Port'), known(info?.mp3_port)],
    [t('mediaAddresses'), known(info?.media_addresses.join(', '))],
    [t('streams'), known(info?.streams)],
    [t('clients'), known(info?.clients)],
  ];
}

/** What is known of this device. */
export function deviceLines(view: HouseView): Line[] {
  return [
    [t('socket'), view.connected ? t('up') : t('down')],
    [t('secure'), window.isSecureContext ? t('yes') : t('no')],
    [t('browser'), navigator.userAgent],
    [t('language'), spoken()],
  ];
}

function uptimeInWords(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const parts = [
    ['days', Math.floor(minutes / 1_440)],
    ['hours', Math.floor(minutes / 60) % 24],
    ['minutes', minutes % 60],
  ] as const;
  const told = parts.filter(([unit, count]) => count > 0 || (unit === 'minutes' && minutes < 1));
  return told.map(([unit, count]) => t(unit, { count })).join(' ');
}
