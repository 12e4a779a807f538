import type { IdentityRow, IpRow } from '../../model/identity.ts';
import { printableLabels } from '../../model/label.ts';
import type { Block, Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';

const NARROW = { minWidth: 2, padding: 3 };

/** `identity list` and `identity get`: one label per line, and with `--pods` one pod per line beside them. */
export function identityTable(rows: readonly IdentityRow[]): Table {
  const pods = rows.some((row) => row.pods);
  const block = (row: IdentityRow): Block => {
    const labels = printableLabels(row.labels).map(sanitizeCell);
    if (!pods)
      return {
        key: String(row.id),
        lines: labels.map((label, i) => `${i === 0 ? row.id : ''}\t${label}`),
      };
    const names = (row.pods ?? []).map(sanitizeCell);
    const height = Math.max(labels.length, names.length);
    const lines = Array.from(
      { length: height },
      (_, i) => `${i === 0 ? row.id : ''}\t${labels[i] ?? ''}\t${names[i] ?? ''}`,
    );
    return { key: String(row.id), lines };
  };
  return { headers: [pods ? 'ID\tLABELS\tPODS' : 'ID\tLABELS'], blocks: rows.map(block), stop: NARROW };
}

/** `identity list --endpoints`. */
export function identityEndpointsTable(rows: readonly IdentityRow[]): Table {
  const blocks = rows.map((row) => ({
    key: String(row.id),
    lines: printableLabels(row.labels).map((label, i) =>
      i === 0 ? `${row.id}\t${sanitizeCell(label)}\t${row.refCount ?? 0}\t` : `\t${sanitizeCell(label)}\t`,
    ),
  }));
  return { headers: ['ID\tLABELS\tREFCOUNT'], blocks };
}

/** `ip list` and `ip get`; `verbose` adds the host and the key, `pods` the pod. */
export function ipTable(rows: readonly IpRow[], options: { verbose?: boolean; pods?: boolean }): Table {
  const { verbose, pods } = options;
  const headers = `IP\tIDENTITY\tSOURCE${verbose ? '\tHOST\tENCRYPT_KEY' : ''}${pods ? '\tPOD' : ''}`;
  const blocks = rows.map((row) => ({
    key: row.cidr,
    lines: row.names.map((name, i) => {
      if (i > 0) return `\t${sanitizeCell(name)}\t`;
      const rest = [
        row.cidr,
        name,
        row.source,
        ...(verbose ? [row.host, String(row.encryptKey)] : []),
        ...(pods ? [row.pod && `${row.namespace}/${row.pod}`] : []),
      ];
      return rest.map(sanitizeCell).join('\t');
    }),
  }));
  return { headers: [headers], blocks };
}

/** `ip get -l` without `-v`. */
export function ipBriefTable(rows: readonly IpRow[]): Table {
  const blocks = rows.map((row) => ({
    key: row.cidr,
    lines: [
      [row.cidr || 'N/A', row.host, row.names.join(' '), row.pod, row.namespace].map(sanitizeCell).join('\t'),
    ],
  }));
  return { headers: ['IP\tHOST\tIDENTITY\tPOD\tNAMESPACE'], blocks };
}
