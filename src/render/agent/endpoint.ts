import { compareBytes } from '../../lib/order.ts';
import type { EndpointChange, EndpointRow, EndpointState } from '../../model/endpoint.ts';
import { formatLabel, type Label } from '../../model/label.ts';
import type { Block, Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';

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
export function endpointTable(rows: readonly EndpointRow[]): Table {
  return { headers: HEADERS, blocks: rows.map(endpointBlock) };
}

function endpointBlock(row: EndpointRow): Block {
  const [ingress, egress] = policyMode(row.policy);
  const [ipv6, ipv4] = addressCells(row);
  const identity = row.identity ?? '<no label id>';
  const [first = 'no labels', ...more] = row.labels;
  const state = sanitizeCell(row.state ?? 'Unknown');
  return {
    key: String(row.id),
    lines: [
      `${row.id}\t${ingress}\t${egress}\t${identity}\t${sanitizeCell(first)}\t${ipv6}\t${ipv4}\t${state}\t`,
      ...more.map((label) => `\t\t\t\t${sanitizeCell(label)}\t\t\t\t`),
    ],
  };
}

const NARROW = { minWidth: 2, padding: 3 };

/** `endpoint health`. */
export function renderEndpointHealth(health: EndpointState): string {
  const rows = [
    ['Overall Health:', sanitizeCell(health.overall)],
    ['BPF Health:', sanitizeCell(health.bpf)],
    ['Policy Health:', sanitizeCell(health.policy)],
    ['Connected:', health.connected ? 'yes' : 'no'],
  ];
  return tabulate(rows.map((row) => `${row.join('\t')}\n`).join(''), NARROW);
}

/** `endpoint log`, in the agent's order. */
export function renderEndpointLog(changes: readonly EndpointChange[]): string {
  const rows = changes.map(({ timestamp, code, state, message }) =>
    [timestamp, code, state, message].map(sanitizeCell).join('\t'),
  );
  return tabulate(`${['Timestamp\tStatus\tState\tMessage', ...rows].join('\n')}\n`, NARROW);
}

/**
 * `endpoint labels`: sorted, where the reference's order is that of a Go map. `braced` is the form of agents up to 1.14,
 * `{key value source}`.
 */
export function renderEndpointLabels(
  enabled: readonly Label[],
  disabled: readonly Label[],
  { braced = false }: { braced?: boolean } = {},
): string {
  const form = braced ? ({ key, value, source }: Label) => `{${key} ${value} ${source}}` : formatLabel;
  const rows = (labels: readonly Label[], word: string) =>
    labels
      .map(form)
      .toSorted(compareBytes)
      .map((label) => `${sanitizeCell(label)}\t${word}\n`);
  return tabulate([...rows(enabled, 'Enabled'), ...rows(disabled, 'Disabled')].join(''), NARROW);
}
