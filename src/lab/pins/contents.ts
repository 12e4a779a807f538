import { endpointInfo, endpointKey } from '../../bpf/layouts/endpoints.ts';
import { IPCACHE_STATIC_BITS, ipcacheKey, remoteEndpoint } from '../../bpf/layouts/ipcache.ts';
import { nodeKey, nodeValue } from '../../bpf/layouts/nodes.ts';
import { POLICY_FLAG, POLICY_STATIC_BITS, policyKey, policyKey113 } from '../../bpf/layouts/policy.ts';
import type { RecordOf, Struct } from '../../bpf/layouts/struct.ts';
import { encode } from '../../bpf/maps/codec.ts';
import { formatAddress, parsePrefix } from '../../lib/address.ts';
import type { Release } from '../../model/release.ts';
import type { MapEntry } from '../../policy/evaluate/maps/policy-map.ts';
import type { Agent } from '../agent/agent.ts';
import { ipcache } from '../agent/ipcache.ts';
import { PROXY_PORT } from '../agent/maps.ts';
import type { EndpointPolicyFacts } from '../policy/policy.ts';
import { nodeIds } from '../world/node-ids.ts';
import { policyVariant } from './specs.ts';

/** One entry of a map, as the kernel takes it. */
export type RawEntry = readonly [key: Buffer, value: Buffer];

const REMOTE_NODE = 6;
const HAS_TUNNEL = 2;
const HOST = 1;

/** What cilium_lxc holds: the endpoints of the node, and its own addresses. */
export function endpointEntries(agent: Agent): RawEntry[] {
  const { self } = agent.world;
  const entry = (ip: string | undefined, value: Partial<RecordOf<typeof endpointInfo>>): RawEntry[] =>
    ip === undefined ? [] : [[encode(endpointKey, { ip }), encode(endpointInfo, value)]];
  const host = [self.ipv4, self.ipv6, self.router.ipv4, self.router.ipv6].flatMap((ip) =>
    entry(ip, { flags: HOST }),
  );
  const endpoints = agent.state.endpoints
    .filter(({ kind }) => kind !== 'host')
    .flatMap((endpoint) => {
      const value = {
        ifindex: endpoint.interfaceIndex,
        endpointId: endpoint.id,
        mac: endpoint.mac,
        nodeMac: endpoint.hostMac,
        identity: endpoint.identity,
      };
      return [...entry(endpoint.ipv4, value), ...entry(endpoint.ipv6, value)];
    });
  return [...host, ...endpoints];
}

/** What cilium_ipcache_v2 holds. */
export function ipcacheEntries(agent: Agent): RawEntry[] {
  return ipcache(agent).flatMap((entry): RawEntry[] => {
    const cidr = parsePrefix(entry.cidr);
    if (!cidr) return [];
    const { hostIP, identity, encryptKey = 0 } = entry;
    const remote = hostIP !== undefined && hostIP !== agent.world.self.ipv4 && identity !== REMOTE_NODE;
    return [
      [
        // The 32 bits before the address are always compared.
        encode(ipcacheKey, { prefixLength: IPCACHE_STATIC_BITS + cidr.length, ip: formatAddress(cidr) }),
        encode(remoteEndpoint, {
          identity,
          encryptKey,
          ...(remote && { tunnelEndpoint: hostIP, flags: HAS_TUNNEL }),
        }),
      ],
    ];
  });
}

/** What cilium_node_map_v2 holds. */
export function nodeEntries(agent: Agent): RawEntry[] {
  return nodeIds(agent.world).flatMap(({ id, ips }) =>
    ips.map((ip): RawEntry => [encode(nodeKey, { ip }), encode(nodeValue, { id })]),
  );
}

const PRECEDENCE = {
  deny: 0xffff_ffff,
  allow: 0xffff_ff01,
  /** 255 less the priority of the listener: 101 of HTTP, 121 of DNS. */
  http: 0xffff_ff00 + 255 - 101,
  dns: 0xffff_ff00 + 255 - 121,
};

/** Significant bits of protocol and port. */
export function portBits({ protocol, prefix }: Pick<MapEntry, 'protocol' | 'prefix'>): number {
  return protocol === 0 ? 0 : 8 + prefix;
}

/** What the policy map of an endpoint holds, as agents of a release write it. */
export function policyEntries(policy: EndpointPolicyFacts, release: Release): RawEntry[] {
  const variant = policyVariant(release);
  return policy.entries.flatMap((entry): RawEntry[] => {
    const bits = portBits(entry);
    const { direction, identity, protocol, port, deny, proxy, auth } = entry;
    if (variant.key === policyKey113) {
      // A hash has no ranges of ports.
      if (bits > 8 && bits < 24) return [];
      const key = encode(policyKey113, { identity, direction: directionNumber(direction), protocol, port });
      const value = { proxyPort: proxy ? PROXY_PORT : 0, flags: deny ? POLICY_FLAG.deny : 0, auth };
      return [[key, encode(variant.value, value)]];
    }
    const value = {
      proxyPort: proxy ? PROXY_PORT : 0,
      flags: (deny ? POLICY_FLAG.deny : 0) | ('wildcards' in variant ? wildcards(bits) : bits << 3),
      auth,
      precedence: PRECEDENCE[deny ? 'deny' : proxy ? parserOf(entry, policy) : 'allow'],
    };
    const key = encode(policyKey, {
      prefixLength: POLICY_STATIC_BITS + bits,
      identity,
      direction: directionNumber(direction),
      protocol,
      port,
    });
    return [[key, encode<Struct>(variant.value, value)]];
  });
}

/** Up to 1.16 flags say what an entry leaves open. */
function wildcards(bits: number): number {
  return (bits === 0 ? POLICY_FLAG.wildcardProtocol : 0) | (bits <= 8 ? POLICY_FLAG.wildcardPort : 0);
}

export function directionNumber(direction: MapEntry['direction']): 0 | 1 {
  return direction === 'egress' ? 1 : 0;
}

function parserOf({ direction, port }: MapEntry, policy: EndpointPolicyFacts): 'http' | 'dns' {
  const redirect = policy[direction].redirects.find((one) => one.port === port);
  return redirect?.parser === 'dns' ? 'dns' : 'http';
}
