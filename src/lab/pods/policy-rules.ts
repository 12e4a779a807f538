import type { MapEntry } from '../../policy/evaluate/maps/policy-map.ts';
import type { EndpointPolicyFacts } from '../policy/policy.ts';

/** Ports of a node's proxy: HTTP that leaves a pod, HTTP that reaches one, and DNS. */
export const PROXY = { egress: 15_001, ingress: 15_002, dns: 15_053 } as const;
/** From where the proxy calls on: so a connection of its own shows which way it was taken. */
const PROXY_SOURCES = { egress: [10_000, 14_999], ingress: [15_100, 19_999] } as const;
/** So many of those ports stand for one address in whose name the proxy calls. */
const BLOCK = 100;
/** So many addresses it can call for. */
export const MAX_CALLERS = (PROXY_SOURCES.egress[1] - PROXY_SOURCES.egress[0] + 1) / BLOCK;
const [ICMP, UDP, ICMPV6] = [1, 17, 58];

/** A pod's end of the rules of its node. */
export interface EnforcedEndpoint {
  id: number;
  link: string;
  addresses: string[];
  policy: EndpointPolicyFacts;
  /** What would be dropped is let through. */
  isAudited: boolean;
}

/** What a node enforces. */
export interface NodePolicy {
  endpoints: readonly EnforcedEndpoint[];
  /** Identities by address or prefix. */
  identities: readonly { cidr: string; identity: number }[];
  /** Where the proxy of the node listens. */
  router: string;
  /** Addresses that the proxy calls for, each with its place among the ports. */
  callers: ReadonlyMap<string, number>;
}

/** The ports from which the proxy calls for whoever has a place. */
export function portsFor(way: 'egress' | 'ingress', place: number): [first: number, last: number] {
  const first = PROXY_SOURCES[way][0] + place * BLOCK;
  return [first, first + BLOCK - 1];
}

type Direction = 'egress' | 'ingress';
/** What becomes of a packet that a rule decides about, in the words of nft. */
type Outcome = (entry: MapEntry | undefined) => string;

/** The rules of nft that do in a node what the policy maps of its endpoints say. Loading them replaces all before. */
export function policyRules(node: NodePolicy): string {
  return [
    'table inet cilium_lab',
    'delete table inet cilium_lab',
    'table inet cilium_lab {',
    ...identityChains(node),
    ...node.endpoints.flatMap((endpoint) => endpointChains(endpoint, node.router)),
    ...proxyHooks(node),
    ...filterHooks(node),
    '}',
    '',
  ].join('\n');
}

function chain(name: string, ...rules: string[]): string {
  return `  chain ${name} {\n${rules.map((rule) => `    ${rule}\n`).join('')}  }`;
}

/** Mark a packet with the identity of its source and of its destination. */
function identityChains({ identities, router, callers }: NodePolicy): string[] {
  const known = new Map(identities.map(({ cidr, identity }) => [cidr.replace(/\/32$/, ''), identity]));
  // What the proxy calls in somebody's name is theirs.
  const names = portsOfCallers(callers, (address) => known.get(address) ?? 2);
  const byPort = names && `meta l4proto { tcp, udp } meta mark set th sport map { ${names} }`;
  return [
    chain('id_of_source', ...marks('saddr', identities), ...(byPort ? [`ip saddr ${router} ${byPort}`] : [])),
    chain('id_of_destination', ...marks('daddr', identities)),
  ];
}

/** The elements of a map from the proxy's ports to what they say of whom it calls for. */
function portsOfCallers(callers: NodePolicy['callers'], value: (address: string) => string | number): string {
  return [...callers]
    .flatMap(([address, place]) =>
      (['egress', 'ingress'] as const).map((way) => `${portsFor(way, place).join('-')} : ${value(address)}`),
    )
    .join(', ');
}

/** Decide about what an endpoint sends and gets, by itself, from the proxy and to it. */
function endpointChains({ id, policy, isAudited }: EnforcedEndpoint, router: string): string[] {
  const refuse = (direction: Direction, entry: MapEntry | undefined) => {
    const why = entry === undefined ? 'none' : entry.auth > 0 ? 'auth' : 'deny';
    const what = isAudited ? 'return' : 'drop';
    return `meta nftrace set 1 ${what} comment "${id} ${direction} ${why}"`;
  };
  const plainly =
    (direction: Direction): Outcome =>
    (entry) =>
      isOpen(entry)
        ? `return comment "${id} ${direction} ${entry.proxy ? 'proxy' : 'allow'}"`
        : refuse(direction, entry);
  // What is for the proxy was led there before; what was not is none of the proxy's business.
  const withoutProxy =
    (direction: Direction): Outcome =>
    (entry) =>
      entry?.proxy && isOpen(entry) ? refuse(direction, undefined) : plainly(direction)(entry);
  const proxied =
    (direction: Direction, otherwise: string): Outcome =>
    (entry) => {
      if (!isOpen(entry)) return 'accept';
      if (!entry.proxy) return otherwise;
      const isDns = entry.protocol === UDP || entry.port === 53;
      const port = isDns ? PROXY.dns : PROXY[direction];
      return `meta nfproto ipv4 meta nftrace set 1 dnat ip to ${router}:${port} comment "${id} ${direction} proxy"`;
    };
  const [toWhom, fromWhom] = ['jump id_of_destination', 'jump id_of_source'];
  return [
    chain(`from-${id}`, toWhom, ...decided(policy, 'egress', withoutProxy('egress'))),
    chain(`to-${id}`, fromWhom, ...decided(policy, 'ingress', withoutProxy('ingress'))),
    chain(`by-proxy-${id}`, fromWhom, ...decided(policy, 'ingress', plainly('ingress'))),
    chain(`lead-from-${id}`, toWhom, ...decided(policy, 'egress', proxied('egress', 'return'))),
    chain(`lead-to-${id}`, fromWhom, ...decided(policy, 'ingress', proxied('ingress', 'accept'))),
  ];
}

/** Lead to the proxy what is for it, and let it call on in the name of who called. */
function proxyHooks({ endpoints, router, callers }: NodePolicy): string[] {
  const leads = endpoints.flatMap(({ id, addresses }) =>
    addresses.filter((one) => !one.includes(':')).map((one) => `${one} : jump lead-to-${id}`),
  );
  const [first, last] = PROXY_SOURCES.egress;
  const addresses = portsOfCallers(callers, (address) => address);
  return [
    chain(
      'leading',
      'type nat hook prerouting priority -99',
      ...lookup('iifname', byLink(endpoints, 'jump lead-from')),
      ...lookup('ip daddr', leads),
    ),
    chain(
      'leading-own',
      'type nat hook output priority -99',
      // The proxy of the source calls a pod here that has a proxy as well.
      ...lookup('ip daddr', leads).map((rule) => `ip saddr ${router} tcp sport ${first}-${last} ${rule}`),
    ),
    chain(
      'naming',
      'type nat hook postrouting priority 99',
      ...(addresses
        ? [`ip saddr ${router} meta l4proto { tcp, udp } snat ip to th sport map { ${addresses} }`]
        : []),
    ),
  ];
}

/** Ask the endpoints' chains about what passes the node, what is for it and what it sends. */
function filterHooks({ endpoints, router }: NodePolicy): string[] {
  const known = endpoints.map(({ link }) => `"${link}"`);
  // An endpoint that is not known yet has no policy yet.
  const strangers = (way: string) =>
    `${way} "lxc*" ${known.length > 0 ? `${way} != { ${known.join(', ')} } ` : ''}drop`;
  const from = [...lookup('iifname', byLink(endpoints, 'jump from')), strangers('iifname')];
  const to = [...lookup('oifname', byLink(endpoints, 'jump to')), strangers('oifname')];
  const [low, high] = PROXY_SOURCES.ingress;
  const byProxy = lookup('oifname', byLink(endpoints, 'goto by-proxy'));
  return [
    chain('forwarded', 'type filter hook forward priority 0', ...UNASKED, ...from, ...to),
    chain(
      'incoming',
      'type filter hook input priority 0',
      ...UNASKED,
      `ct status dnat ip daddr ${router} th dport { ${Object.values(PROXY).join(', ')} } accept`,
      ...from,
    ),
    chain(
      'outgoing',
      'type filter hook output priority 0',
      ...UNASKED,
      ...byProxy.map((rule) => `ip saddr ${router} tcp sport ${low}-${high} ${rule}`),
      ...to,
    ),
  ];
}

/** What is told of, and what passes whatever the policies say. */
const UNASKED = [
  'ct state new meta nftrace set 1',
  'ct state related accept',
  // Of a connection only its beginning and its end are told of.
  'ct state established tcp flags & (syn | fin | rst) != 0 meta nftrace set 1',
  'ct direction reply meta l4proto { udp, icmp } meta nftrace set 1',
  'ct direction reply ct state established,related accept comment "reply"',
  'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert, nd-router-solicit } accept',
];

function byLink(endpoints: NodePolicy['endpoints'], verdict: string): string[] {
  return endpoints.map(({ id, link }) => `"${link}" : ${verdict}-${id}`);
}

function isOpen(entry: MapEntry | undefined): entry is MapEntry {
  return entry !== undefined && !entry.deny && entry.auth === 0;
}

function lookup(key: string, elements: readonly string[]): string[] {
  return elements.length === 0 ? [] : [`${key} vmap { ${elements.join(', ')} }`];
}

/** Rules that mark a packet with the identity of an address of it: the longest prefix has the last word. */
function marks(which: 'saddr' | 'daddr', identities: NodePolicy['identities']): string[] {
  const sorted = identities
    .map(({ cidr, identity }) => {
      const [address = '', length = ''] = cidr.split('/');
      const isV6 = address.includes(':');
      return { cidr, address, identity, isV6, bits: Number(length || (isV6 ? 128 : 32)) };
    })
    .toSorted((a, b) => a.bits - b.bits);
  const whole = (isV6: boolean) =>
    sorted.filter((one) => one.isV6 === isV6 && one.bits === (isV6 ? 128 : 32));
  const ranges = sorted.filter(({ isV6, bits }) => bits < (isV6 ? 128 : 32));
  const exact = (isV6: boolean) => {
    const elements = [...new Map(whole(isV6).map(({ address, identity }) => [address, identity]))];
    if (elements.length === 0) return [];
    const family = isV6 ? 'ip6' : 'ip';
    return [
      `meta mark set ${family} ${which} map { ${elements.map(([address, id]) => `${address} : ${id}`).join(', ')} }`,
    ];
  };
  return [
    'meta mark set 2',
    ...ranges.map(({ cidr, isV6, bits, identity }) =>
      bits === 0
        ? `meta nfproto ${isV6 ? 'ipv6' : 'ipv4'} meta mark set ${identity}`
        : `${isV6 ? 'ip6' : 'ip'} ${which} ${cidr} meta mark set ${identity}`,
    ),
    ...exact(false),
    ...exact(true),
  ];
}

/** The entries of a direction as rules, so that the first one that fits is the one that the map would give. */
function decided(policy: EndpointPolicyFacts, direction: Direction, outcome: Outcome): string[] {
  const { enforced } = policy[direction];
  const entries = policy.entries.filter((entry) => entry.direction === direction);
  if (!enforced && entries.length === 0) return ['return'];
  const ordered = entries.toSorted(
    (a, b) =>
      (b.precedence ?? 0) - (a.precedence ?? 0) ||
      Number(b.deny) - Number(a.deny) ||
      Number(b.protocol > 0) - Number(a.protocol > 0) ||
      b.prefix - a.prefix ||
      Number(b.identity > 0) - Number(a.identity > 0),
  );
  return [
    ...ordered.map((entry) => [...matchOf(entry), outcome(entry)].join(' ')),
    enforced ? outcome(undefined) : 'return',
  ];
}

function matchOf({ identity, protocol, port, prefix }: MapEntry): string[] {
  const match = identity > 0 ? [`meta mark ${identity}`] : [];
  if (protocol === 0) return match;
  match.push(`meta l4proto ${protocol}`);
  if (prefix === 0) return match;
  const last = port + 2 ** (16 - prefix) - 1;
  const ports = prefix === 16 ? `${port}` : `${port}-${last}`;
  if (protocol === ICMP) match.push(`icmp type ${ports}`);
  else if (protocol === ICMPV6) match.push(`icmpv6 type ${ports}`);
  else match.push(`th dport ${ports}`);
  return match;
}
