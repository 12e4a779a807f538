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
  /** Every probe of a node instead of one row (from 1.17 on). */
  verbose: boolean;
  /** Rows at most; 0 for all. */
  maxRows: number;
}

/** The lines from `Cluster health:` on, cells ending in tabs. */
export function clusterHealthLines(health: ClusterHealth, options: ClusterHealthOptions): string {
  const nodes = health.nodes.toSorted((a, b) => compareBytes(a.name, b.name));
  const healthy = nodes.filter(isHealthyNode).length;
  const interval = atLeast(options.release, '1.18') ? `\t(Probe interval: ${health.probeInterval})` : '';
  const head = `Cluster health:\t${healthy}/${nodes.length} reachable\t(${health.timestamp})${interval}\n`;
  const listed = atLeast(options.release, '1.17') ? countedNodes : wordedNodes;
  return sanitize(head + listed(nodes, nodes.length - healthy, health, options));
}

/** As of 1.17: the limit counts rows. */
function countedNodes(
  nodes: readonly NodeHealth[],
  unhealthy: number,
  health: ClusterHealth,
  options: ClusterHealthOptions,
): string {
  const lines = ['Name\tIP\tNode\tEndpoints'];
  let printed = 0;
  const print = (node: NodeHealth, local: boolean) => {
    if (!isShown(node, options)) return;
    lines.push(...nodeLines(node, local, options));
    printed++;
  };
  const local = nodes.find((node) => isLocal(node, health));
  if (local) print(local, true);
  for (const node of nodes) {
    // The reference means 0 as "no limit", yet stops when as many rows are out as the limit says: at once.
    if (printed === options.maxRows) break;
    if (node !== local) print(node, false);
  }
  if (unhealthy > printed) lines.push('  ...');
  return lines.map((line) => `${line}\n`).join('');
}

/** Up to 1.16: the limit counts places among all nodes, and the line that says that there is more has no end. */
function wordedNodes(
  nodes: readonly NodeHealth[],
  unhealthy: number,
  health: ClusterHealth,
  options: ClusterHealthOptions,
): string {
  const local = nodes.find((node) => isLocal(node, health));
  const limit = options.maxRows - (local ? 1 : 0);
  const among = limit > 0 ? nodes.slice(0, limit + 1) : nodes;
  const rows = [...(local ? [local] : []), ...among.filter((node) => node !== local)]
    .filter((node) => isShown(node, options))
    .map((node) => `${nodeRow(node, node === local, options.release)}\n`);
  const title = options.allNodes || unhealthy > 0 ? '  Name\tIP\tNode\tEndpoints\n' : '';
  return `${title}${rows.join('')}${limit > 0 && unhealthy > limit ? '  ...' : ''}`;
}

function isShown(node: NodeHealth, { allNodes }: ClusterHealthOptions): boolean {
  return allNodes || !isHealthyNode(node);
}

/** Whether a node is the one that the daemon runs on. */
function isLocal(node: NodeHealth, health: ClusterHealth): boolean {
  return health.self !== undefined && node.name === health.self;
}

function nodeLines(node: NodeHealth, local: boolean, { verbose, release }: ClusterHealthOptions): string[] {
  if (!verbose)
    return [
      `${nameOf(node, local)}\t${addressesOf(node).join(',')}\t${count(node.host)}\t${count(node.endpoint)}`,
    ];
  const lines = (kind: string, address: AddressHealth | undefined) => addressLines(kind, address, release);
  return [`${nameOf(node, local)}:`, ...lines('Host', node.host), ...lines('Endpoint', node.endpoint)];
}

/** The row of a node up to 1.16; its other addresses are shown from 1.15 on. */
function nodeRow(node: NodeHealth, local: boolean, release: Release): string {
  const [primary] = addressesOf(node);
  const addresses = atLeast(release, '1.15') ? addressesOf(node).join(',') : primary;
  return `${nameOf(node, local)}\t${addresses}\t${worst(node.host)}\t${worst(node.endpoint)}`;
}

function nameOf(node: NodeHealth, local: boolean): string {
  return `  ${node.name}${local ? ' (localhost)' : ''}`;
}

function addressesOf({ host }: NodeHealth): string[] {
  const secondary = host?.secondary.filter((path) => path !== null) ?? [];
  return [host?.primary?.address ?? 'Unavailable', ...secondary.map(({ address }) => address)];
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

function addressLines(kind: string, address: AddressHealth | undefined, release: Release): string[] {
  const lines = pathLines(kind, address?.primary ?? null, release);
  for (const path of address?.secondary ?? []) lines.push(...pathLines(`Secondary ${kind}`, path, release));
  return lines;
}

function pathLines(name: string, path: PathHealth | null, release: Release): string[] {
  if (!path) return [`    ${name} connectivity:\tnil`];
  const lines = [`    ${name} connectivity to ${path.address}:`];
  if (path.icmp) lines.push(probeLine('ICMP to stack', path.icmp, release));
  if (path.http) lines.push(probeLine('HTTP to agent', path.http, release));
  return lines;
}

function probeLine(name: string, probe: ProbeHealth, release: Release): string {
  const result = probe.error || `OK, RTT=${goDuration(probe.latencyNs)}`;
  const when = atLeast(release, '1.18') && probe.lastProbed ? `\t(Last probed: ${probe.lastProbed})` : '';
  return `      ${name}:\t${result}${when}`;
}
