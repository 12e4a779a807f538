import type { PeerRow, RouteRow } from '../../model/bgp.ts';
import type { Table } from '../text/blocks.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { capabilityText, inOrder, seconds } from './bgp.ts';

/** What the agent of a node told. */
export interface OfNode<T> {
  node: string;
  value: readonly T[];
}

/** Rows of nodes: the name of a node stands in its first row. Each cell of a row ends with a tab, but those of the header. */
function nodeTable<T>(
  header: readonly string[],
  nodes: readonly OfNode<T>[],
  rowsOf: (row: T) => (string | number)[][],
): Table {
  const line = (cells: readonly (string | number)[]) =>
    cells.map((cell) => `${sanitizeCell(String(cell))}\t`).join('');
  const blocks = nodes.map(({ node, value }) => ({
    key: node,
    lines: value.flatMap(rowsOf).map((cells, i) => line([i === 0 ? node : '', ...cells])),
  }));
  return { headers: [['Node', ...header].join('\t')], blocks };
}

const PEER_HEADER = [
  ...['Local AS', 'Peer AS', 'Peer Address', 'Session State'],
  ...['Uptime', 'Family', 'Received', 'Advertised'],
];

/** `bgp peers` of several nodes. */
export function peersOfNodes(nodes: readonly OfNode<PeerRow>[]): Table {
  const sorted = nodes.map(({ node, value }) => ({ node, value: inOrder(value) }));
  return nodeTable(PEER_HEADER, sorted, (peer) => {
    const lead = [peer.localAs, peer.peerAs, peer.address, peer.state, seconds(peer.uptimeNs)];
    if (peer.families.length === 0) return [[...lead, '', '', '']];
    return peer.families.map(({ afi, safi, received, advertised }, i) => [
      ...(i === 0 ? lead : lead.map(() => '')),
      `${afi}/${safi}`,
      received,
      advertised,
    ]);
  });
}

/** `bgp peers -c` of several nodes: with tabs, as the reference has it there. */
export function capabilitiesOfNodes(nodes: readonly OfNode<PeerRow>[]): string {
  if (nodes.length === 0) return 'No BGP peer sessions found on any node\n';
  return nodes
    .map(({ node, value }) => `Cilium node: ${sanitizeCell(node)}\n${capabilityText(value)}`)
    .join('');
}

/** `bgp routes` of several nodes; `peer` adds the peer that a route is advertised to. */
export function routesOfNodes(nodes: readonly OfNode<RouteRow>[], { peer }: { peer: boolean }): Table {
  const header = ['VRouter', ...(peer ? ['Peer'] : []), 'Prefix', 'NextHop', 'Age', 'Attrs'];
  return nodeTable(header, nodes, (route) => [
    [
      route.router,
      ...(peer ? [route.neighbor] : []),
      route.destination,
      route.nextHop,
      seconds(route.ageNs),
      route.attributes,
    ],
  ]);
}
