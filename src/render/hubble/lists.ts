import { goFixed } from '../../lib/go-fixed.ts';
import { compareBytes } from '../../lib/order.ts';
import type { ChangeNotification, Namespace, Node } from '../../model/hubble.gen.ts';
import type { Table } from '../text/blocks.ts';
import { goDuration } from '../text/duration.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { HUBBLE_TABLE, tableLine } from './flow-records.ts';

/** Nodes by name. */
export function nodesTable(nodes: readonly Node[], { isWide }: { isWide: boolean }): Table {
  const headers = ['NAME', 'STATUS', 'AGE', 'FLOWS/S', 'CURRENT/MAX-FLOWS'];
  if (isWide) headers.push('VERSION', 'ADDRESS', 'TLS');
  const cells = (node: Node) => [...nodeCells(node), ...(isWide ? wideCells(node) : [])];
  return hubbleTable(headers, byName(nodes).map(cells));
}

/** Nodes in the order of their names. */
export function byName(nodes: readonly Node[]): Node[] {
  return nodes.toSorted((a, b) => compareBytes(a.name ?? '', b.name ?? ''));
}

function hubbleTable(headers: readonly string[], rows: readonly (readonly string[])[]): Table {
  const line = (cells: readonly string[]) => tableLine(cells).replace(/\n$/, '');
  return {
    headers: [line(headers)],
    blocks: rows.map((cells) => ({ key: cells[0] ?? '', lines: [line(cells)] })),
    stop: HUBBLE_TABLE,
  };
}

const UNKNOWN = 'N/A';
const SECOND = 1_000_000_000n;

const STATES: Readonly<Record<string, string>> = {
  NODE_CONNECTED: 'Connected',
  NODE_UNAVAILABLE: 'Unavailable',
  NODE_GONE: 'Gone',
  NODE_ERROR: 'Error',
};

function nodeCells({ name = '', state, uptime_ns = '0', num_flows, max_flows, seen_flows }: Node): string[] {
  // To the second, the half one up.
  const uptime = (BigInt.asIntN(64, BigInt(uptime_ns)) + SECOND / 2n) / SECOND;
  const [num, max] = [num_flows ?? '0', max_flows ?? '0'];
  return [
    sanitizeCell(name),
    STATES[String(state)] ?? 'Unknown',
    uptime > 0 ? goDuration(uptime * SECOND) : UNKNOWN,
    uptime > 0 ? goFixed(Number(seen_flows ?? '0') / Number(uptime), 2) : UNKNOWN,
    max === '0' ? UNKNOWN : `${num}/${max} (${goFixed((Number(num) / Number(max)) * 100, 2).padStart(6)}%)`,
  ];
}

function wideCells({ version = '', address = '', tls }: Node): string[] {
  return [
    sanitizeCell(version) || UNKNOWN,
    sanitizeCell(address),
    tls === undefined ? UNKNOWN : tls.enabled ? 'Enabled' : 'Disabled',
  ];
}

/** Namespaces in the server's order. */
export function namespacesTable(namespaces: readonly Namespace[], { isWide }: { isWide: boolean }): Table {
  const rows = namespaces.map(({ namespace = '', cluster = '' }) => [
    sanitizeCell(namespace),
    ...(isWide && cluster !== '' ? [sanitizeCell(cluster)] : []),
  ]);
  return hubbleTable(['NAMESPACE', ...(isWide ? ['CLUSTER'] : [])], rows);
}

/** A node that came, went or changed. */
export function renderPeerChange({ type, address = '', name = '', tls }: ChangeNotification): string {
  const server = tls ? ` (TLS.ServerName: ${sanitizeCell(tls.server_name ?? '')})` : '';
  return `${String(type ?? 'UNKNOWN').padEnd(12)} ${sanitizeCell(address)} ${sanitizeCell(name)}${server}\n`;
}
