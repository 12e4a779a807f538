import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** One entry of a policy map in the words of its table. */
export interface PolicyMapRow {
  policy: string;
  direction: string;
  /** Labels of the peer, or its number alone. */
  peer: readonly string[];
  ports: string;
  proxyPort: string;
  authType: string;
  bytes: string;
  packets: string;
  prefix: string;
  /** Undefined for agents that have none. */
  cookie: string | undefined;
}

const EMPTY = 'Policy stats empty. Perhaps the policy enforcement is disabled?\n';

/** The table of `bpf policy get`. */
export function renderPolicyMap(rows: readonly PolicyMapRow[], { numeric }: { numeric: boolean }): string {
  const cookies = rows.length === 0 || rows.some((row) => row.cookie !== undefined);
  const header = [
    'POLICY',
    'DIRECTION',
    numeric ? 'IDENTITY' : 'LABELS (source:key[=value])',
    'PORT/PROTO',
    'PROXY PORT',
    'AUTH TYPE',
    'BYTES',
    'PACKETS',
    'PREFIX',
    ...(cookies ? ['COOKIE'] : []),
  ];
  const lines = [header.join('\t')];
  for (const row of rows) {
    const [first = '', ...more] = row.peer.map(sanitizeCell);
    const { policy, direction, ports, proxyPort, authType, bytes, packets, prefix } = row;
    lines.push(
      [policy, direction, first, ports, proxyPort, authType, bytes, packets, prefix]
        .concat(cookies ? [row.cookie ?? '0'] : [])
        .join('\t'),
    );
    const rest = '\t'.repeat(header.length - 3);
    for (const label of more) lines.push(`\t\t${label}${rest}`);
  }
  return tabulate(`${lines.join('\n')}\n`, LIST_TABLE) + (rows.length === 0 ? EMPTY : '');
}
