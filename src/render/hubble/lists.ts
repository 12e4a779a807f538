import { compareBytes } from '../../lib/order.ts';
import type { ChangeNotification, Namespace, Node } from '../../model/hubble.gen.ts';
import { goDuration } from '../text/duration.ts';
import { goJson } from '../text/json.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { tabulate } from '../text/table.ts';
import { HUBBLE_TABLE, tableLine } from './flow-records.ts';

export const LIST_FORMATS = ['json', 'table', 'wide'] as const;

const UNKNOWN = 'N/A';

/** Nodes by name; undefined stands for a format that there is not. */
export function renderNodes(nodes: readonly Node[], format: string): string | undefined {
  const sorted = nodes.toSorted((a, b) => compareBytes(a.name ?? '', b.name ?? ''));
  if (format === 'json') return `${goJson(sorted, 2)}\n`;
  if (format !== 'table' && format !== 'wide') return undefined;
  const wide = format === 'wide';
  const headers = ['NAME', 'STATUS', 'AGE', 'FLOWS/S', 'CURRENT/MAX-FLOWS'];
  if (wide) headers.push('VERSION', 'ADDRESS', 'TLS');
  const lines = sorted.map((node) => tableLine([...nodeCells(node), ...(wide ? wideCells(node) : [])]));
  return tabulate(tableLine(headers) + lines.join(''), HUBBLE_TABLE);
}

const STATES: Readonly<Record<string, string>> = {
  NODE_CONNECTED: 'Connected',
  NODE_UNAVAILABLE: 'Unavailable',
  NODE_GONE: 'Gone',
  NODE_ERROR: 'Error',
};

function nodeCells({ name = '', state, uptime_ns = '0', num_flows, max_flows, seen_flows }: Node): string[] {
  const seconds = Number(uptime_ns) / 1e9;
  const [num, max] = [num_flows ?? '0', max_flows ?? '0'];
  return [
    sanitizeCell(name),
    STATES[String(state)] ?? 'Unknown',
    seconds > 0 ? goDuration(Math.round(seconds) * 1e9) : UNKNOWN,
    seconds > 0 ? (Number(seen_flows ?? '0') / seconds).toFixed(2) : UNKNOWN,
    max === '0' ? UNKNOWN : `${num}/${max} (${((Number(num) / Number(max)) * 100).toFixed(2).padStart(6)}%)`,
  ];
}

function wideCells({ version = '', address = '', tls }: Node): string[] {
  return [
    sanitizeCell(version),
    sanitizeCell(address),
    tls === undefined ? UNKNOWN : tls.enabled ? 'Enabled' : 'Disabled',
  ];
}

/** Namespaces in the server's order; undefined stands for a format that there is not. */
export function renderNamespaces(namespaces: readonly Namespace[], format: string): string | undefined {
  if (format === 'json') return `${goJson(namespaces, 2)}\n`;
  if (format !== 'table' && format !== 'wide') return undefined;
  const wide = format === 'wide';
  const lines = namespaces.map(({ namespace = '', cluster = '' }) =>
    tableLine([sanitizeCell(namespace), ...(wide && cluster !== '' ? [sanitizeCell(cluster)] : [])]),
  );
  return tabulate(tableLine(['NAMESPACE', ...(wide ? ['CLUSTER'] : [])]) + lines.join(''), HUBBLE_TABLE);
}

/** A node that came, went or changed. */
export function renderPeerChange({ type, address = '', name = '', tls }: ChangeNotification): string {
  const server = tls?.server_name ? ` (TLS.ServerName: ${sanitizeCell(tls.server_name)})` : '';
  return `${String(type ?? 'UNKNOWN').padEnd(12)} ${sanitizeCell(address)} ${sanitizeCell(name)}${server}\n`;
}
