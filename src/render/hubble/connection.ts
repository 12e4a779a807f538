import type { Connection } from '../../model/connection.ts';
import { FlowRow, readFlow } from '../../model/flow-row.ts';
import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { type FlowStyle, hostText, sanitizeRow } from './flow.ts';

/** One line: both ends, both directions, every point that saw the connection, the verdict and who decided. */
export function renderConnection(connection: Connection, style: FlowStyle): string {
  const { opening, firstMs, lastMs, forward, reply, points, verdict, reason, names, policies } = connection;
  const row = new FlowRow();
  readFlow(row, opening);
  sanitizeRow(row);
  const isReply = opening.is_reply === true;
  const [from, to] = isReply ? [row.destination, row.source] : [row.source, row.destination];
  const details = [
    `${forward}→ ${reply}←`,
    `${((lastMs - firstMs) / 1000).toFixed(3)}s`,
    points.join(','),
    names.length > 0 && `dns ${names.map(sanitizeCell).join(',')}`,
    policies.length > 0 && `by ${policies.map(sanitizeCell).join(',')}`,
  ];
  return `${style.time(row.time)}: ${hostText(row, from, style)} -> ${hostText(row, to, style)} ${protocolText(connection)} ${verdict}${reason ? ` ${reason}` : ''} (${details.filter(Boolean).join('; ')})\n`;
}

function protocolText({ opening }: Connection): string {
  const l7 = (['dns', 'http', 'kafka'] as const).find((name) => opening.l7?.[name]);
  return [Object.keys(opening.l4 ?? {})[0] ?? 'L3', l7?.toUpperCase()].filter(Boolean).join('/');
}

/** The connection as a line of JSON. */
export function renderConnectionJson({ opening, firstMs, lastMs, key: _, ...rest }: Connection): string {
  const { source, destination, IP, l4 } = opening;
  const record = {
    first_seen: new Date(firstMs).toISOString(),
    last_seen: new Date(lastMs).toISOString(),
    source,
    destination,
    IP,
    l4,
    ...rest,
  };
  return `${goJson(record)}\n`;
}
