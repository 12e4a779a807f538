import { compareBytes } from '../../lib/order.ts';
import type { Capability, Matched, PeerRow, RoutePolicyRow, RouteRow } from '../../model/bgp.ts';
import { atLeast, type Release } from '../../model/release.ts';
import type { Table } from '../text/blocks.ts';
import { goDuration } from '../text/duration.ts';
import { sanitizeCell } from '../text/sanitize.ts';
import { LIST_TABLE, tabulate } from '../text/table.ts';

/** Rounded to whole seconds. */
export function seconds(ns: number): string {
  return goDuration(Math.round(ns / 1e9) * 1e9);
}

/** What ends a row: up to 1.17 its last cell ends with a tab as well, so that blanks follow it. */
function rowEnd(release: Release): string {
  return atLeast(release, '1.18') ? '' : '\t';
}

/** By local AS, then by address: tables of peers are in this order, their capabilities in that of the agent. */
export function inOrder(peers: readonly PeerRow[]): PeerRow[] {
  return peers.toSorted((a, b) => a.localAs - b.localAs || compareBytes(a.address, b.address));
}

/** `bgp peers`: one line per family; agents of 1.13 tell no port. */
export function peerTable(peers: readonly PeerRow[], release: Release): Table {
  const end = rowEnd(release);
  const blocks = inOrder(peers).map((peer) => {
    const cells = [
      peer.localAs,
      peer.peerAs,
      atLeast(release, '1.14') ? `${peer.address}:${peer.port}` : peer.address,
      peer.state,
      seconds(peer.uptimeNs),
    ];
    const lead = cells.map((cell) => `${sanitizeCell(String(cell))}\t`).join('');
    const families = peer.families.map(
      ({ afi, safi, received, advertised }) =>
        `${sanitizeCell(`${afi}/${safi}`)}\t${received}\t${advertised}${end}`,
    );
    // The reference leaves the line of a peer without families open, and the next peer goes on in it.
    const [first = '\t\t', ...more] = families;
    return {
      key: `${peer.localAs} ${peer.address}:${peer.port}`,
      lines: [`${lead}${first}`, ...more.map((family) => `\t\t\t\t\t${family}`)],
    };
  });
  return {
    headers: ['Local AS\tPeer AS\tPeer Address\tSession\tUptime\tFamily\tReceived\tAdvertised'],
    blocks,
  };
}

/** `bgp peers -c`. */
export function renderCapabilities(peers: readonly PeerRow[]): string {
  return tabulate(capabilityText(peers), LIST_TABLE);
}

/** The same with its tabs. */
export function capabilityText(peers: readonly PeerRow[]): string {
  if (peers.length === 0) return 'No BGP peer sessions found on this node\n';
  const lines = peers.flatMap((peer) => {
    const { local, remote } = peer;
    const none = local.length === 0 && remote.length === 0;
    return [
      `BGP neighbor is ${sanitizeCell(peer.address)}, remote AS ${peer.peerAs}`,
      'Neighbor capabilities:',
      ...(none ? ['No capabilities found'] : capabilityLines(local, remote)),
    ];
  });
  return `${lines.join('\n')}\n`;
}

function capabilityLines(local: readonly Capability[], remote: readonly Capability[]): string[] {
  const keyOf = (c: Capability) => `${c.code} ${c.family ?? ''}`;
  const known = new Set(local.map(keyOf));
  const added = remote.filter((c) => !known.has(keyOf(c)) && known.add(keyOf(c)));
  const lines: string[] = [];
  let titled = false;
  for (const capability of [...local, ...added].toSorted((a, b) => a.code - b.code)) {
    const ours = local.find((c) => keyOf(c) === keyOf(capability));
    const theirs = remote.find((c) => keyOf(c) === keyOf(capability));
    const support = [ours && 'advertised', theirs && 'received'].filter(Boolean).join(' and ');
    if (capability.family !== undefined) {
      if (!titled) lines.push(`\t${capability.name}:`);
      titled = true;
      lines.push(`\t\t${capability.family}: ${support}`);
      continue;
    }
    lines.push(`\t${capability.name}: ${support}`);
    if (ours) lines.push('\t\tlocal:', ...ours.details.map((line) => `\t\t\t${sanitizeCell(line)}`));
    if (theirs) lines.push('\t\tremote:', ...theirs.details.map((line) => `\t\t\t${sanitizeCell(line)}`));
  }
  return lines;
}

/** `bgp routes`: one line per path; `peer` adds the peer that a route is advertised to. */
export function routeTable(routes: readonly RouteRow[], options: { peer: boolean; release: Release }): Table {
  const end = rowEnd(options.release);
  const blocks = routes.map((route) => ({
    key: `${route.router} ${route.neighbor} ${route.prefix} ${route.attributes}`,
    lines: [
      [
        String(route.router),
        ...(options.peer ? [route.neighbor] : []),
        route.destination,
        route.nextHop,
        seconds(route.ageNs),
        atLeast(options.release, '1.20') ? route.attributes : route.oldAttributes,
      ]
        .map(sanitizeCell)
        .join('\t') + end,
    ],
  }));
  return { headers: [`VRouter\t${options.peer ? 'Peer\t' : ''}Prefix\tNextHop\tAge\tAttrs`], blocks };
}

/** `bgp route-policies`: one line per statement, from 1.18 on by router and name; agents before 1.17 match no families. */
export function routePolicyTable(policies: readonly RoutePolicyRow[], release: Release): Table {
  const families = atLeast(release, '1.17');
  const end = rowEnd(release);
  const ordered = atLeast(release, '1.18') ? policies.toSorted(byRouter) : policies;
  const blocks = ordered.map((policy) => {
    const lead = [String(policy.router), policy.name, policy.type].map(sanitizeCell).join('\t');
    const statements = policy.statements.map((statement) =>
      [
        matched(statement.peers, (peer) => peer),
        ...(families ? [braced(statement.families)] : []),
        matched(statement.prefixes, ({ cidr, min, max }) => `${cidr} (${min}..${max})`),
        statement.action,
        braced(pathActions(statement)),
      ]
        .map(sanitizeCell)
        .join('\t'),
    );
    const lines = statements.map((text, i) => `${i === 0 ? lead : '\t\t'}\t${text}${end}`);
    return { key: `${policy.router} ${policy.name}`, lines: lines.length > 0 ? lines : [`${lead}\t`] };
  });
  return {
    headers: [
      `VRouter\tPolicy Name\tType\tMatch Peers\t${families ? 'Match Families\t' : ''}Match Prefixes (Min..Max Len)\tRIB Action\tPath Actions`,
    ],
    blocks,
  };
}

function byRouter(a: RoutePolicyRow, b: RoutePolicyRow): number {
  return a.router - b.router || compareBytes(a.name, b.name);
}

/** Several values in braces, one as it is. */
function braced(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : values.map((value) => `{${value}}`).join(' ');
}

function matched<T>({ type, values }: Matched<T>, text: (value: T) => string): string {
  const all = braced(values.map(text));
  return values.length > 1 && type ? `(${type}) ${all}` : all;
}

function pathActions({
  localPreference,
  communities,
  largeCommunities,
}: RoutePolicyRow['statements'][number]): string[] {
  return [
    localPreference >= 0 ? `SetLocalPreference: ${localPreference}` : '',
    communities.length > 0 ? `AddCommunities: [${communities.join(' ')}]` : '',
    largeCommunities.length > 0 ? `AddLargeCommunities: [${largeCommunities.join(' ')}]` : '',
  ].filter((action) => action !== '');
}
