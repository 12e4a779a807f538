import { compareBytes } from '../../lib/order.ts';
import type { NodeIdRow, NodeRow } from '../../model/node.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/**
 * `node list`: rows sorted as text; nothing at all, not even the header, without a node. Agents of 1.9 tell no source,
 * and their table has no such column.
 */
export function nodeTable(rows: readonly NodeRow[]): Table {
  const sources = rows.some((row) => row.source !== '');
  const blocks = rows
    .map((row) => ({
      key: row.name,
      line: [row.name, row.ipv4, row.ipv4Range, row.ipv6, row.ipv6Range, ...(sources ? [row.source] : [])]
        .map(sanitizeCell)
        .join('\t'),
    }))
    .toSorted((a, b) => compareBytes(a.line, b.line))
    .map(({ key, line }) => ({ key, lines: [line] }));
  const headers = [
    `Name\tIPv4 Address\tEndpoint CIDR\tIPv6 Address\tEndpoint CIDR${sources ? '\tSource' : ''}`,
  ];
  return { headers: blocks.length > 0 ? headers : [], blocks, stop: { minWidth: 0, padding: 3 } };
}

/** `nodeid list`; since 1.15 there is a last column, which has a title and is never filled. */
export function nodeIdTable(rows: readonly NodeIdRow[], release: Release): Table {
  const blocks = rows.map(({ id, ips }) => ({
    key: String(id),
    lines: ips.map((ip, i) => `${i === 0 ? `0x${id.toString(16)}` : ''}\t${sanitizeCell(ip)}`),
  }));
  return { headers: [`NODE ID\tIP ADDRESSES${atLeast(release, '1.15') ? '\tSPI' : ''}`], blocks };
}
