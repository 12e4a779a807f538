import { POD_NAMESPACE } from '../../../model/label.ts';
import { PROTOCOL_NUMBER } from '../../../model/protocol.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import type { Term } from '../../../model/selector.ts';
import { termsOf } from '../../../model/selector.ts';
import { portNumber } from '../../language/check-ports.ts';
import { icmpType } from '../../language/icmp-types.ts';
import {
  type Authentication,
  type EgressRule,
  hasExceptions,
  type IcmpRule,
  type IngressRule,
  type L7Rules,
  type Origin,
  type Path,
  type PortRule,
  type Protocol,
  type SourcedRule,
  TIERS,
} from '../../rule.ts';
import { egressSelectors, ingressSelectors } from '../selectors/peers.ts';
import { labelSelector, type Selector } from '../selectors/selector.ts';
import type { Surroundings } from '../selectors/surroundings.ts';

export type Direction = 'ingress' | 'egress';
export const DIRECTIONS: readonly Direction[] = ['ingress', 'egress'];

/** Authentication as the map stores it: 1 is mutual authentication by SPIRE, 2 always fails. */
const AUTH_TYPES: Readonly<Record<Authentication['mode'], number>> = {
  disabled: 0,
  required: 1,
  'test-always-fail': 2,
};

/** One port (range) of a part of a rule. */
export interface PortSpec {
  protocol: number;
  /** 0 with no name is every port. */
  port: number;
  endPort: number;
  /** A container port's name; `port` is 0 then. */
  name: string;
  /** Traffic goes through a proxy. */
  redirect: boolean;
  listener: string;
  priority: number;
  l7: L7Rules | undefined;
  serverNames: readonly string[];
  /** Only some releases have this port: which the agents are is not known. */
  perhaps?: string;
}

/** One entry of `ingress`, `ingressDeny`, `egress` or `egressDeny`. */
export interface Part {
  direction: Direction;
  deny: boolean;
  /** It leaves what it matches to the next tier. */
  pass: boolean;
  /** Undefined selects no peer, empty every peer. */
  peers: readonly Selector[] | undefined;
  ports: readonly PortSpec[];
  /** Undefined: not stated. */
  auth: number | undefined;
  origin: Origin;
  /** Below the rule: `ingress`, 0. */
  path: Path;
  /** The data that is missing to know all peers. */
  unknowns: readonly string[];
  /** Position of the rule in the set, for stable reports. */
  rule: CompiledRule;
}

/** Where a rule stands among others: lower tiers go first, of one tier lower priorities. */
export interface Level {
  tier: number;
  priority: number;
}

/** That of all network policies. */
export const NORMAL: Level = { tier: TIERS.Normal, priority: 0 };

/** A rule prepared for evaluation. */
export interface CompiledRule {
  source: SourcedRule;
  subject: Selector;
  /** The rule has a node selector: it is about the node itself and not about pods. */
  node: boolean;
  level: Level;
  parts: readonly Part[];
  /** The directions that it has rules for, and those in which it enables default deny. */
  hasRules: Record<Direction, boolean>;
  defaultDeny: Record<Direction, boolean>;
  /** Conditions that it adds to the endpoint selectors of all rules for the same subject. */
  requires: Record<'ingress' | 'ingressDeny' | 'egress' | 'egressDeny', readonly Term[]>;
}

/** Compiles a rule for all of its subjects. `extra` are the requirements of other rules for the same subject. */
export function compileRule(
  source: SourcedRule,
  around: Surroundings,
  extra?: CompiledRule['requires'],
): CompiledRule {
  const { rule, origin } = source;
  const ofClusterPolicy = origin.kind === 'ClusterNetworkPolicy';
  const ofNetworkPolicy = origin.kind === 'NetworkPolicy' ? origin.namespace : undefined;
  const here =
    origin.kind === 'rule' ? around : { ...around, ofObject: true, ofClusterPolicy, ofNetworkPolicy };
  const transports = transportsIn(around);
  const parts: Part[] = [];
  const compiled: CompiledRule = {
    source,
    subject: subjectOf(source, around),
    node: rule.nodeSelector !== undefined,
    level: rule.order ? { tier: TIERS[rule.order.tier], priority: rule.order.priority } : NORMAL,
    parts,
    hasRules: {
      ingress: hasAny(rule.ingress) || hasAny(rule.ingressDeny),
      egress: hasAny(rule.egress) || hasAny(rule.egressDeny),
    },
    defaultDeny: rule.enableDefaultDeny,
    requires: {
      ingress: (rule.ingress ?? []).flatMap((part) => (part.fromRequires ?? []).flatMap(termsOf)),
      ingressDeny: (rule.ingressDeny ?? []).flatMap((part) => (part.fromRequires ?? []).flatMap(termsOf)),
      egress: (rule.egress ?? []).flatMap((part) => (part.toRequires ?? []).flatMap(termsOf)),
      egressDeny: (rule.egressDeny ?? []).flatMap((part) => (part.toRequires ?? []).flatMap(termsOf)),
    },
  };
  const ingress = (section: 'ingress' | 'ingressDeny', list: readonly IngressRule[] = []) => {
    for (const [i, part] of list.entries()) {
      const peers = ingressSelectors(part, extra?.[section] ?? [], here);
      parts.push(partOf(compiled, 'ingress', section, i, peers, part, transports));
    }
  };
  const egress = (section: 'egress' | 'egressDeny', list: readonly EgressRule[] = []) => {
    for (const [i, part] of list.entries()) {
      const peers = egressSelectors(part, extra?.[section] ?? [], part.toFQDNs ?? [], here);
      parts.push(partOf(compiled, 'egress', section, i, peers, part, transports));
    }
  };
  ingress('ingress', rule.ingress);
  ingress('ingressDeny', rule.ingressDeny);
  egress('egress', rule.egress);
  egress('egressDeny', rule.egressDeny);
  return compiled;
}

function hasAny(list: readonly unknown[] | undefined): boolean {
  return (list?.length ?? 0) > 0;
}

function partOf(
  rule: CompiledRule,
  direction: Direction,
  section: string,
  index: number,
  peers: readonly Selector[] | undefined,
  part: { toPorts?: readonly PortRule[]; icmps?: readonly IcmpRule[]; authentication?: Authentication },
  transports: Transports,
): Part {
  const deny = section.endsWith('Deny');
  const l3only = !hasAny(part.toPorts) && !hasAny(part.icmps);
  // A part without peers and ports allows nothing.
  const ports =
    l3only && peers !== undefined && peers.length > 0
      ? [{ ...NO_PORT, redirect: false }]
      : [
          ...(part.toPorts ?? []).flatMap((port) =>
            portSpecs(port, deny || rule.source.rule.order?.pass === true, transports),
          ),
          ...icmpSpecs(part.icmps ?? []),
        ];
  return {
    direction,
    deny,
    pass: rule.source.rule.order?.pass === true,
    peers,
    ports,
    auth: part.authentication && AUTH_TYPES[part.authentication.mode],
    origin: rule.source.origin,
    path: rule.source.origin.part ?? [section, index],
    unknowns: (peers ?? []).flatMap((peer) => (peer.kind === 'none' && peer.why ? [peer.why] : [])),
    rule,
  };
}

const NO_PORT: PortSpec = {
  protocol: 0,
  port: 0,
  endPort: 0,
  name: '',
  redirect: false,
  listener: '',
  priority: 0,
  l7: undefined,
  serverNames: [],
};

/** A protocol that a port stands for. */
interface Transport {
  protocol: number;
  perhaps?: string;
}

/** What a port stands for in a release. */
interface Transports {
  /** With the protocol `ANY`. */
  any: readonly Transport[];
  /** Without one. Agents take it for `ANY`, in deny rules from 1.12.16, 1.13.9, 1.14.4 and 1.15 on. */
  unstated: readonly Transport[];
  /** Whether a range that begins with port 0 is every port. Undefined: not known. */
  wideZero: boolean | undefined;
  /** A parser of L7 rules reads the traffic even when there are no rules for it. */
  byParser: boolean;
}

/** Where agents ask the rules of a namespace for its pods only, they do so too where the selector names `reserved:init`. */
function subjectOf(
  { rule: { nodeSelector, endpointSelector = {} }, origin }: SourcedRule,
  { byNamespace = true }: Pick<Surroundings, 'byNamespace'>,
): Selector {
  const { kind, namespace } = origin;
  const bound = byNamespace && kind === 'CiliumNetworkPolicy' && namespace;
  const { matchLabels, matchExpressions } = endpointSelector;
  if (nodeSelector || !bound) return labelSelector(nodeSelector ?? endpointSelector);
  return labelSelector({
    matchLabels: { ...matchLabels, [`k8s:${POD_NAMESPACE}`]: namespace },
    ...(matchExpressions && { matchExpressions }),
  });
}

/** Whether agents of a release and those on the way to it differ in whom the rule is for, or in its exceptions. */
export function differsByBuild(source: SourcedRule): boolean {
  const [bound, free] = [true, false].map((byNamespace) => subjectOf(source, { byNamespace }).key);
  return bound !== free || hasExceptions(source.rule);
}

/** `ANY` stands for the protocols that have ports. SCTP came with 1.13. */
function transportsIn({ release, assumed }: Surroundings): Transports {
  const { TCP, UDP, SCTP } = PROTOCOL_NUMBER;
  const reaches = (first: Release) => release === undefined || atLeast(release, first);
  const sctp = assumed ? { perhaps: 'agents before 1.13 do not count SCTP as ANY (--release)' } : {};
  const wideZero = assumed ? undefined : release !== undefined && atLeast(release, '1.20');
  const any = [
    ...[TCP, UDP].map((protocol) => ({ protocol })),
    ...(reaches('1.13') ? [{ protocol: SCTP, ...sctp }] : []),
  ];
  const byParser = reaches('1.18');
  if (assumed || (reaches('1.12') && !reaches('1.15'))) {
    const unstated = any.map(({ protocol }) => ({ protocol, perhaps: NOTHING_DENIED }));
    return { any, unstated, wideZero, byParser };
  }
  // An entry for protocol 0, which no packet with a port meets.
  return { any, unstated: reaches('1.15') ? any : [{ protocol: 0 }], wideZero, byParser };
}

const NOTHING_DENIED =
  'agents before 1.12.16, 1.13.9 and 1.14.4 deny nothing by a port without a protocol (--release)';

/** Of a port that the policy map of the assumed release does not have. */
export const WIDE_ZERO = 'agents from 1.20 on take a range from port 0 on for every port (--release)';

function portSpecs(rule: PortRule, deny: boolean, transports: Transports): PortSpec[] {
  return (rule.ports ?? []).flatMap(({ port, endPort = 0, protocol }) => {
    const number = portNumber(port) ?? 0;
    const isName = Number.isNaN(number);
    const isRangeFromZero = number === 0 && endPort > 0 && endPort < 0xffff;
    return transportsOf(protocol, transports).flatMap((transport) => {
      const spec = {
        ...transport,
        port: isName ? 0 : number,
        endPort: isRangeFromZero && transports.wideZero ? 0 : endPort,
        name: isName ? port.toLowerCase() : '',
        ...(deny ? NO_PROXY : proxyOf(rule, transport.protocol, transports.byParser)),
      };
      const isOpen = isRangeFromZero && transports.wideZero === undefined;
      return isOpen ? [spec, { ...spec, endPort: 0, perhaps: WIDE_ZERO }] : [spec];
    });
  });
}

function transportsOf(protocol: Protocol | undefined, { any, unstated }: Transports): readonly Transport[] {
  if (protocol === undefined) return unstated;
  if (protocol === 'ANY') return any;
  return [{ protocol: PROTOCOL_NUMBER[protocol === 'IPV6' ? 'IPv6' : protocol] }];
}

const NO_PROXY = {
  redirect: false,
  listener: '',
  priority: 0,
  l7: undefined as L7Rules | undefined,
  serverNames: [] as readonly string[],
};

/** The priority of each kind of proxy, when a listener states none: which one wins when several rules want one. */
const LISTENER_PRIORITY = { http: 101, kafka: 106, l7: 111, tls: 116, dns: 121, listener: 126 } as const;

function parserOf({ rules, listener }: PortRule, tcp: boolean): keyof typeof LISTENER_PRIORITY {
  if (listener !== undefined) return 'listener';
  if (hasAny(rules?.dns)) return 'dns';
  if (tcp && hasAny(rules?.http)) return 'http';
  if (tcp && hasAny(rules?.kafka)) return 'kafka';
  return tcp && rules?.l7proto !== undefined ? 'l7' : 'tls';
}

/** Whether a port rule sends traffic through a proxy, and which. All L7 rules but DNS need TCP. */
function proxyOf(rule: PortRule, protocol: number, byParser: boolean): typeof NO_PROXY {
  const { rules, listener } = rule;
  const tls = rule.terminatingTLS !== undefined || rule.originatingTLS !== undefined;
  const names = hasAny(rule.serverNames);
  const tcp = protocol === PROTOCOL_NUMBER.TCP;
  const parsed =
    hasAny(rules?.dns) ||
    (tcp && (hasAny(rules?.http) || hasAny(rules?.kafka) || rules?.l7proto !== undefined));
  const parser = listener !== undefined || tls || names || parsed;
  const anyRule = hasAny(rules?.http) || hasAny(rules?.kafka) || hasAny(rules?.dns) || hasAny(rules?.l7);
  return {
    redirect: parser && (byParser || listener !== undefined || tls || names || anyRule),
    listener: listener ? `${listener.envoyConfig.name}/${listener.name}` : '',
    priority: parser ? (listener?.priority ?? LISTENER_PRIORITY[parserOf(rule, tcp)]) : 0,
    l7: parsed ? rules : undefined,
    serverNames: rule.serverNames ?? [],
  };
}

/** ICMP types are stored like ports, so type 0 means every type, as in the agent. */
function icmpSpecs(rules: readonly IcmpRule[]): PortSpec[] {
  return rules.flatMap(({ fields }) =>
    (fields ?? []).map(({ family = 'IPv4', type }) => ({
      ...NO_PORT,
      protocol: family === 'IPv6' ? PROTOCOL_NUMBER.ICMPv6 : PROTOCOL_NUMBER.ICMP,
      port: icmpType(type, family) ?? 0,
    })),
  );
}
