import type { EndpointRow } from '../model/endpoint.ts';
import { sanitizeCell } from './sanitize.ts';
import { LIST_TABLE, tabulate } from './table.ts';

const HEADERS = [
  'ENDPOINT\tPOLICY (ingress)\tPOLICY (egress)\tIDENTITY\tLABELS (source:key[=value])\tIPv6\tIPv4\tSTATUS\t',
  '\tENFORCEMENT\tENFORCEMENT\t\t\t\t\t',
];

/** Whether policy is enforced for ingress and egress, by the agent's `policy-enabled`. */
const POLICY_MODES: Readonly<Record<string, readonly [ingress: string, egress: string]>> = {
  none: ['Disabled', 'Disabled'],
  both: ['Enabled', 'Enabled'],
  ingress: ['Enabled', 'Disabled'],
  egress: ['Disabled', 'Enabled'],
  'audit-both': ['Disabled (Audit)', 'Disabled (Audit)'],
  'audit-ingress': ['Disabled (Audit)', 'Disabled'],
  'audit-egress': ['Disabled', 'Disabled (Audit)'],
};
const UNKNOWN = ['Unknown', 'Unknown'] as const;

/** Ingress and egress enforcement in words. */
export function policyMode(policy: string | undefined): readonly [ingress: string, egress: string] {
  return policy !== undefined && Object.hasOwn(POLICY_MODES, policy)
    ? (POLICY_MODES[policy] ?? UNKNOWN)
    : UNKNOWN;
}

/** IPv6 and IPv4 of an endpoint, or why there is none. */
export function addressCells({ addresses }: EndpointRow): [ipv6: string, ipv4: string] {
  if (addresses === undefined) return ['Unknown', 'Unknown'];
  if (addresses === null) return ['No address', 'No address'];
  return [sanitizeCell(addresses.ipv6), sanitizeCell(addresses.ipv4)];
}

/** The table of `endpoint list`. */
export function renderEndpointList(rows: readonly EndpointRow[], options: { headers: boolean }): string {
  const lines = options.headers ? [...HEADERS] : [];
  for (const row of rows) {
    const [ingress, egress] = policyMode(row.policy);
    const [ipv6, ipv4] = addressCells(row);
    const identity = row.identity ?? '<no label id>';
    const [first = 'no labels', ...more] = row.labels;
    const state = sanitizeCell(row.state ?? 'Unknown');
    lines.push(
      `${row.id}\t${ingress}\t${egress}\t${identity}\t${sanitizeCell(first)}\t${ipv6}\t${ipv4}\t${state}\t`,
    );
    for (const label of more) lines.push(`\t\t\t\t${sanitizeCell(label)}\t\t\t\t`);
  }
  return lines.length === 0 ? '' : tabulate(`${lines.join('\n')}\n`, LIST_TABLE);
}
