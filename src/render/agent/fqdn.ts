import type { LookupRow } from '../../model/fqdn.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

/** What an absent time looks like. */
const ZERO_TIME = '0001-01-01T00:00:00.000Z';

/** `fqdn cache list`. */
export function lookupTable(rows: readonly LookupRow[]): Table {
  const blocks = rows.map((row) => ({
    key: `${row.endpoint} ${row.fqdn} ${row.source}`,
    lines: [
      [
        String(row.endpoint),
        row.source,
        row.fqdn,
        String(row.ttl),
        row.expiration || ZERO_TIME,
        row.ips.join(','),
        '',
      ]
        .map(sanitizeCell)
        .join('\t'),
    ],
  }));
  return { headers: ['Endpoint\tSource\tFQDN\tTTL\tExpirationTime\tIPs\t'], blocks };
}
