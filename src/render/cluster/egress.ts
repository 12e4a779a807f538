import type { EgressVerdict } from '../../cluster/egress/judge.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** What nodes have made of egress gateway policies, and what is wrong with it; `read` is how many nodes were read. */
export function renderEgress({ policies, problems }: EgressVerdict, read: number): string {
  const rows = policies.flatMap(({ name, pods, gateways }) =>
    (gateways.length > 0 ? gateways : [{ gateway: '-', node: '', egressIps: [], seenBy: [] }]).map(
      ({ gateway, node, egressIps, seenBy }, i) => [
        i === 0 ? name : '',
        i === 0 ? String(pods) : '',
        node === '' ? gateway : `${node} (${gateway})`,
        egressIps.join(', ') || '-',
        `${seenBy.length} of ${read}`,
      ],
    ),
  );
  const table = tableOf('POLICY\tPODS\tGATEWAY\tEGRESS IP\tSEEN BY', rows);
  if (problems.length === 0) return table;
  const found = problems.map(({ policy, node, text }) => [policy || '-', node || '-', text]);
  return `${table}\n${tableOf('POLICY\tNODE\tPROBLEM', found)}`;
}

function tableOf(header: string, rows: readonly string[][]): string {
  const lines = [header, ...rows.map((cells) => cells.map(sanitizeCell).join('\t'))];
  return tabulate(`${lines.join('\n')}\n`, LIST_TABLE);
}
