import { compareBytes } from '../../lib/order.ts';
import type { Capability, PeerRow, RoutePolicyRow, RouteRow } from '../../model/bgp.ts';
import { decodeCapability, decodeNlri, decodePathAttribute } from '../bgp/wire.ts';
import { Reader } from './reader.ts';
import type {
  BgpCapabilities,
  BgpPeer,
  BgpRoute,
  BgpRoutePolicy,
  BgpRoutePolicyStatement,
} from './types.gen.ts';

/** Peers by local AS, then by address. */
export function decodePeers(answer: unknown): PeerRow[] {
  return new Reader<BgpPeer[]>('GET /bgp/peers', answer)
    .items()
    .map((peer) => ({
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
    }))
    .toSorted((a, b) => a.localAs - b.localAs || compareBytes(a.address, b.address));
}

function capabilities(list: Reader<BgpCapabilities[]>): Capability[] {
  return list
    .items()
    .map((capability) => decodeCapability(capability.text('capabilities')))
    .filter((capability) => capability !== undefined);
}

/** One row per path; by router, neighbour and prefix. */
export function decodeRoutes(answer: unknown): RouteRow[] {
  return new Reader<BgpRoute[]>('GET /bgp/routes', answer)
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
            attributes: `[${attributes.map((attribute) => attribute.text).join(' ')}]`,
          };
        }),
    )
    .toSorted(
      (a, b) =>
        a.router - b.router || compareBytes(a.neighbor, b.neighbor) || compareBytes(a.prefix, b.prefix),
    );
}

/** Policies by router and name; `families` tells whether the agent knows of families (1.20). */
export function decodeRoutePolicies(answer: unknown): { policies: RoutePolicyRow[]; families: boolean } {
  let old = false;
  const policies = new Reader<BgpRoutePolicy[]>('GET /bgp/route-policies', answer)
    .items()
    .map((policy) => ({
      router: policy.integer('router-asn'),
      name: policy.text('name'),
      type: policy.text('type'),
      statements: policy
        .at('statements')
        .items()
        .map((statement) => {
          if (statement.at('match-neighbors').isList || statement.at('match-prefixes').isList) old = true;
          return {
            peers: matchedPeers(statement),
            families: statement
              .at('match-families')
              .items()
              .map((family) => `${family.text('afi')}/${family.text('safi')}`),
            prefixes: matchedPrefixes(statement),
            action: statement.text('route-action'),
            actions: pathActions(statement),
          };
        }),
    }))
    .toSorted((a, b) => a.router - b.router || compareBytes(a.name, b.name));
  return { policies, families: !old };
}

/** Several values in braces, one as it is. */
export function braced(values: readonly string[]): string {
  return values.length === 1 ? (values[0] ?? '') : values.map((value) => `{${value}}`).join(' ');
}

function matched(type: string, values: readonly string[]): string {
  return values.length > 1 && type ? `(${type}) ${braced(values)}` : braced(values);
}

/** 1.17 lists the peers; 1.20 says as well how they match. */
function matchedPeers(statement: Reader<BgpRoutePolicyStatement>): string {
  const match = statement.at('match-neighbors');
  return match.isList ? braced(match.asTexts()) : matched(match.text('type'), match.texts('neighbors'));
}

interface PrefixRange {
  cidr?: string;
  'prefix-len-min'?: number;
  'prefix-len-max'?: number;
}

function matchedPrefixes(statement: Reader<BgpRoutePolicyStatement>): string {
  const match = statement.at('match-prefixes');
  const range = (prefix: Reader<PrefixRange>) =>
    `${prefix.text('cidr')} (${prefix.integer('prefix-len-min')}..${prefix.integer('prefix-len-max')})`;
  if (match.isList) return braced(match.as<PrefixRange[]>().items().map(range));
  return matched(match.text('type'), match.at('prefixes').as<PrefixRange[]>().items().map(range));
}

function pathActions(statement: Reader<BgpRoutePolicyStatement>): string[] {
  const preference = statement.integer('set-local-preference');
  const communities = statement.texts('add-communities');
  const large = statement.texts('add-large-communities');
  return [
    preference >= 0 ? `SetLocalPreference: ${preference}` : '',
    communities.length > 0 ? `AddCommunities: [${communities.join(' ')}]` : '',
    large.length > 0 ? `AddLargeCommunities: [${large.join(' ')}]` : '',
  ].filter((action) => action !== '');
}
