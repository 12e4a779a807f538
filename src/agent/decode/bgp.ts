import { compareBytes } from '../../lib/order.ts';
import type {
  Capability,
  Matched,
  PeerRow,
  PrefixLengths,
  RoutePolicyRow,
  RouteRow,
} from '../../model/bgp.ts';
import { decodeCapability, decodeNlri, decodePathAttribute } from '../bgp/wire.ts';
import type { AgentClient } from '../client.ts';
import { Answer, listAnswer } from './answer.ts';
import { Reader } from './reader.ts';
import type {
  BgpCapabilities,
  BgpPeer,
  BgpRoute,
  BgpRoutePolicy,
  BgpRoutePolicyStatement,
} from './types.gen.ts';

/** The peers, as the agent has them in order. */
export function listBgpPeers(agent: AgentClient): Promise<Answer<PeerRow[]>> {
  return listAnswer(agent.get('/bgp/peers'), 'BgpPeer[]', decodePeers);
}

/** The peers that the agent's own command line printed. */
export function readBgpPeers(value: unknown): Answer<PeerRow[]> {
  const reader = new Reader<BgpPeer[]>('bgp peers', value);
  return new Answer(value, 'BgpPeer[]', () => decodePeers(reader));
}

function decodePeers(answer: Reader<BgpPeer[]>): PeerRow[] {
  return answer.items().map((peer) => ({
    localAs: peer.integer('local-asn'),
    peerAs: peer.integer('peer-asn'),
    address: peer.text('peer-address'),
    port: peer.integer('peer-port'),
    state: peer.text('session-state'),
    uptimeNs: peer.integer('uptime-nanoseconds'),
    families: peer
      .at('families')
      .items()
      .map((family) => ({
        afi: family.text('afi'),
        safi: family.text('safi'),
        received: family.integer('received'),
        advertised: family.integer('advertised'),
      })),
    local: capabilities(peer.at('local-capabilities')),
    remote: capabilities(peer.at('remote-capabilities')),
  }));
}

function capabilities(list: Reader<BgpCapabilities[]>): Capability[] {
  return list
    .items()
    .map((capability) => decodeCapability(capability.text('capabilities')))
    .filter((capability) => capability !== undefined);
}

/** Which routes are meant. */
export interface BgpRouteQuery {
  tableType: 'loc-rib' | 'adj-rib-out';
  afi: string;
  safi: string;
  /** AS number of the virtual router; without it all of them. */
  asn?: number;
  neighbor?: string;
}

/** The routes, one row per path; by router, neighbour and prefix. */
export function listBgpRoutes(agent: AgentClient, wanted: BgpRouteQuery): Promise<Answer<RouteRow[]>> {
  const { tableType, afi, safi, asn, neighbor } = wanted;
  const query = { table_type: tableType, afi, safi, router_asn: asn, neighbor };
  return listAnswer(agent.get('/bgp/routes', { query }), 'BgpRoute[]', decodeRoutes);
}

/** The routes that the agent's own command line printed. */
export function readBgpRoutes(value: unknown): Answer<RouteRow[]> {
  const reader = new Reader<BgpRoute[]>('bgp routes', value);
  return new Answer(value, 'BgpRoute[]', () => decodeRoutes(reader));
}

function decodeRoutes(answer: Reader<BgpRoute[]>): RouteRow[] {
  return answer
    .items()
    .flatMap((route) =>
      route
        .at('paths')
        .items()
        .map((path) => {
          const family = path.at('family');
          const attributes = path
            .at('path-attributes')
            .items()
            .map((attribute) => decodePathAttribute(attribute.text('base64')));
          return {
            router: route.integer('router-asn'),
            neighbor: route.text('neighbor'),
            prefix: route.text('prefix'),
            destination: decodeNlri(path.at('nlri').text('base64'), family.text('afi'), family.text('safi')),
            nextHop: attributes.find((attribute) => attribute.nextHop !== undefined)?.nextHop ?? '0.0.0.0',
            ageNs: path.integer('age-nanoseconds'),
            attributes: `[${attributes.map(({ text }) => text).join(' ')}]`,
            oldAttributes: `[${attributes.map(({ text, oldText = text }) => oldText).join(' ')}]`,
          };
        }),
    )
    .toSorted(
      (a, b) =>
        a.router - b.router || compareBytes(a.neighbor, b.neighbor) || compareBytes(a.prefix, b.prefix),
    );
}

/** The policies, in the agent's order. */
export interface BgpRoutePolicies {
  policies: RoutePolicyRow[];
  /** Whether peers and prefixes are bare lists, which ended with 1.18. */
  areLists: boolean;
}

/** The route policies of a virtual router, or of all. */
export function listBgpRoutePolicies(
  agent: AgentClient,
  asn: number | undefined,
): Promise<Answer<BgpRoutePolicies>> {
  const asked = agent.get('/bgp/route-policies', { query: { router_asn: asn } });
  return listAnswer(asked, 'BgpRoutePolicy[]', decodeRoutePolicies);
}

function decodeRoutePolicies(answer: Reader<BgpRoutePolicy[]>): BgpRoutePolicies {
  let areLists = false;
  const policies = answer.items().map((policy) => ({
    router: policy.integer('router-asn'),
    name: policy.text('name'),
    type: policy.text('type'),
    statements: policy
      .at('statements')
      .items()
      .map((statement) => {
        if (statement.at('match-neighbors').isList || statement.at('match-prefixes').isList) areLists = true;
        return {
          peers: matchedPeers(statement),
          families: statement
            .at('match-families')
            .items()
            .map((family) => `${family.text('afi')}/${family.text('safi')}`),
          prefixes: matchedPrefixes(statement),
          action: statement.text('route-action'),
          localPreference: statement.integer('set-local-preference'),
          communities: statement.texts('add-communities'),
          largeCommunities: statement.texts('add-large-communities'),
        };
      }),
  }));
  return { policies, areLists };
}

/** Up to 1.18 the peers are a list; later it is also said how they match. */
function matchedPeers(statement: Reader<BgpRoutePolicyStatement>): Matched<string> {
  const match = statement.at('match-neighbors');
  return match.isList
    ? { type: '', values: match.asTexts() }
    : { type: match.text('type'), values: match.texts('neighbors') };
}

interface WrittenRange {
  cidr?: string;
  'prefix-len-min'?: number;
  'prefix-len-max'?: number;
}

function matchedPrefixes(statement: Reader<BgpRoutePolicyStatement>): Matched<PrefixLengths> {
  const match = statement.at('match-prefixes');
  const list = (match.isList ? match : match.at('prefixes')).as<WrittenRange[]>();
  return {
    type: match.isList ? '' : match.text('type'),
    values: list.items().map((prefix) => ({
      cidr: prefix.text('cidr'),
      min: prefix.integer('prefix-len-min'),
      max: prefix.integer('prefix-len-max'),
    })),
  };
}
