import { compareBytes } from '../../../lib/order.ts';
import {
  type AddressHealth,
  type ClusterHealth,
  isHealthyNode,
  type NodeHealth,
  type PathHealth,
  type ProbeHealth,
  pathsOf,
  type Reach,
  reachOf,
} from '../../../model/health.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { goDuration } from '../../text/duration.ts';
import { sanitize } from '../../text/sanitize.ts';

/** How much of the cluster's health is shown. */
export interface ClusterHealthOptions {
  release: Release;
  /** Healthy nodes too. */
  allNodes: boolean;
  /** Every probe of a node instead of one row (from 1.18 on). */
  verbose: boolean;
  /** Rows at most; 0 for all. */
  maxRows: number;
}

/** The lines from `Cluster health:` on, cells ending in tabs. */
export function clusterHealthLines(health: ClusterHealth, options: ClusterHealthOptions): string {
  const nodes = health.nodes.toSorted((a, b) => compareBytes(a.name, b.name));
  const healthy = nodes.filter(isHealthyNode).length;
  const latest = atLeast(options.release, '1.18');
  const interval = latest ? `\t(Probe interval: ${health.probeInterval})` : '';
  const lines = [`Cluster health:\t${healthy}/${nodes.length} reachable\t(${health.timestamp})${interval}`];
  if (latest) lines.push('Name\tIP\tNode\tEndpoints');
  else if (options.allNodes || healthy < nodes.length) lines.push('  Name\tIP\tNode\tEndpoints');

  const local = nodes.find((node) => isLocal(node, health));
  const shown = (node: NodeHealth) => options.allNodes || !isHealthyNode(node);
  let printed = 0;
  const print = (node: NodeHealth) => {
    if (!shown(node)) return;
    lines.push(...nodeLines(node, node === local, options));
    printed++;
  };
  if (local) print(local);
  for (const node of nodes) {
    if (node === local) continue;
    // The reference means 0 as "no limit", yet stops when as many rows are out as the limit says: at once.
    if (printed === options.maxRows && (latest || options.maxRows > 0)) break;
    print(node);
  }
  if ((latest || options.maxRows > 0) && nodes.length - healthy > printed) lines.push('  ...');
  return sanitize(lines.map((line) => `${line}\n`).join(''));
}

/** Whether a node is the one that the daemon runs on. */
function isLocal(node: NodeHealth, health: ClusterHealth): boolean {
  return health.self !== undefined && node.name === health.self;
}

function nodeLines(node: NodeHealth, local: boolean, options: ClusterHealthOptions): string[] {
  const name = `  ${node.name}${local ? ' (localhost)' : ''}`;
  if (!atLeast(options.release, '1.18')) {
    const address = node.host?.primary ? node.host.primary.address : 'Unavailable';
    return [`${name}\t${address}\t${worst(node.host)}\t${worst(node.endpoint)}`];
  }
  if (!options.verbose) {
    const secondary = node.host?.secondary.filter((path) => path !== null) ?? [];
    const addresses = [
      node.host?.primary?.address ?? 'Unavailable',
      ...secondary.map(({ address }) => address),
    ];
    return [`${name}\t${addresses.join(',')}\t${count(node.host)}\t${count(node.endpoint)}`];
  }
  return [`${name}:`, ...addressLines('Host', node.host), ...addressLines('Endpoint', node.endpoint)];
}

function worst(address: AddressHealth | undefined): Reach {
  const reaches = pathsOf(address).map(reachOf);
  if (reaches.includes('unreachable')) return 'unreachable';
  return reaches.includes('unknown') ? 'unknown' : 'reachable';
}

function count(address: AddressHealth | undefined): string {
  const reaches = pathsOf(address).map(reachOf);
  const unknown = reaches.filter((reach) => reach === 'unknown').length;
  const reachable = reaches.filter((reach) => reach === 'reachable').length;
  return `${reachable}/${reaches.length}${unknown > 0 ? ` (${unknown} unknown)` : ''}`;
}

function addressLines(kind: string, address: AddressHealth | undefined): string[] {
  const lines = pathLines(kind, address?.primary ?? null);
  for (const path of address?.secondary ?? []) lines.push(...pathLines(`Secondary ${kind}`, path));
  return lines;
}

function pathLines(name: string, path: PathHealth | null): string[] {
  if (!path) return [`    ${name} connectivity:\tnil`];
  const lines = [`    ${name} connectivity to ${path.address}:`];
  if (path.icmp) lines.push(probeLine('ICMP to stack', path.icmp));
  if (path.http) lines.push(probeLine('HTTP to agent', path.http));
  return lines;
}

function probeLine(name: string, probe: ProbeHealth): string {
  const result = probe.error || `OK, RTT=${goDuration(probe.latencyNs)}`;
  return `      ${name}:\t${result}${probe.lastProbed ? `\t(Last probed: ${probe.lastProbed})` : ''}`;
}
