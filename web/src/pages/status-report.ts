// The status page as plain text, for whoever helps.

import type { LoggedConnection } from '../lib/connection-log';
import type { Finding } from '../lib/diagnosis';
import { statusWords as t } from '../messages/status';
import type { RelayInfo } from '../lib/relay-info';
import type { HouseView } from '../house/house-view';
import { delayOf, deviceLines, linesOf, relayLines, rowsOf, titleOf, type Line } from './status-measures';

/** Everything that the page shows. */
export interface Status {
  base: URL;
  view: HouseView;
  info: RelayInfo | null;
  findings: readonly Finding[];
  connections: readonly LoggedConnection[];
}

/** Writes the report. */
export function reportOf({ base, view, info, findings, connections }: Status, now: Date): string {
  const parts = [
    `Voice Relay, ${now.toISOString()}`,
    part(t('test'), findings.map(({ check, verdict, says, advice }) => `[${t(`verdict_${verdict}`)}] ${t(`check_${check}`)}: ${[says, advice].join(' ').trim()}`)),
    ...connections.map((connection) =>
      part(titleOf(connection, view), [
        ...linesOf(connection).map(inText),
        ...rowsOf(connection).map(({ label, now: value, range }) => `${label}: ${value} (${t('minute')}: ${range})`),
        delayOf(connection),
      ]),
    ),
    ...(connections.length ? [] : [part(t('connections'), [t('noConnections')])]),
    part(t('relay'), relayLines(info, base).map(inText)),
    part(t('device'), deviceLines(view).map(inText)),
  ];
  return `${parts.join('\n\n')}\n`;
}

function part(title: string, lines: readonly string[]): string {
  return [title, ...lines.map((line) => `  ${line}`)].join('\n');
}

function inText([name, value]: Line): string {
  return `${name}: ${value}`;
}
