import type { Path, Position } from '../model/finding.ts';
import type { Label } from '../model/label.ts';
import type { LabelSelector } from '../model/selector.ts';

export { formatPosition } from '../model/finding.ts';
export type { Path, Position };

/**
 * The agent's policy rule after the agent (or our decoder) has normalized it: label keys have a source (`any:app`),
 * protocols are upper case, `enableDefaultDeny` is filled in. Field names are those of the JSON form. Empty lists stay,
 * because two of them have a meaning: an empty list of peers selects no peer (an absent one every peer), and an empty list
 * of L7 rules still sends traffic through the proxy. Everywhere else empty means absent.
 */
export interface Rule {
  /** A rule has exactly one of the two selectors. An empty selector selects everything. */
  endpointSelector?: LabelSelector;
  /** The rule is about the nodes' own traffic (host policy). */
  nodeSelector?: LabelSelector;
  ingress?: IngressRule[];
  ingressDeny?: IngressDenyRule[];
  egress?: EgressRule[];
  egressDeny?: EgressDenyRule[];
  /** What `policy get` and `policy delete` select by. The source is empty when the document did not say. */
  labels?: Label[];
  /** Whether the rule makes a direction drop the traffic that no rule allows. */
  enableDefaultDeny: DefaultDeny;
  description?: string;
  /** A string that policy verdict events include (from 1.18 on). */
  log?: RuleLog;
  /** Where the rule stands among others (from 1.20 on); absent: with those of all network policies. */
  order?: Order;
}

/** Lower tiers are asked first, of one tier lower priorities. Network policies are in the tier between the other two. */
export const TIERS = { Admin: 100, Normal: 200, Baseline: 250 } as const;
export type Tier = keyof typeof TIERS;

export interface Order {
  tier: Tier;
  priority: number;
  /** What the rule matches is left to the next tier; its `ingress` and `egress` then allow nothing. */
  pass?: true;
}

export interface DefaultDeny {
  ingress: boolean;
  egress: boolean;
}

export interface RuleLog {
  value: string;
}

/**
 * The peers of an ingress rule. All absent: any peer. Several present: the reference refuses most mixes (see
 * language/decode-rule.ts).
 * `fromRequires` adds conditions to `fromEndpoints` of every rule for the same subject.
 */
export interface IngressPeers {
  fromEndpoints?: LabelSelector[];
  fromRequires?: LabelSelector[];
  /** An address or a prefix. */
  fromCIDR?: string[];
  fromCIDRSet?: CidrRule[];
  fromEntities?: Entity[];
  fromGroups?: Group[];
  fromNodes?: LabelSelector[];
  /** Pods of every cluster (of a ClusterNetworkPolicy). */
  fromNamespaces?: LabelSelector[];
}

export interface EgressPeers {
  toEndpoints?: LabelSelector[];
  toRequires?: LabelSelector[];
  toCIDR?: string[];
  toCIDRSet?: CidrRule[];
  toEntities?: Entity[];
  toServices?: Service[];
  toGroups?: Group[];
  toNodes?: LabelSelector[];
  toNamespaces?: LabelSelector[];
}

export interface IngressRule extends IngressPeers {
  toPorts?: PortRule[];
  /** Never together with `toPorts`. */
  icmps?: IcmpRule[];
  authentication?: Authentication;
}

export interface IngressDenyRule extends IngressPeers {
  toPorts?: PortDenyRule[];
  icmps?: IcmpRule[];
}

export interface EgressRule extends EgressPeers {
  toPorts?: PortRule[];
  toFQDNs?: FqdnSelector[];
  icmps?: IcmpRule[];
  authentication?: Authentication;
}

export interface EgressDenyRule extends EgressPeers {
  toPorts?: PortDenyRule[];
  icmps?: IcmpRule[];
}

export const ENTITIES = [
  'all',
  'world',
  'cluster',
  'cluster-mesh',
  'host',
  'init',
  'ingress',
  'unmanaged',
  'remote-node',
  'health',
  'none',
  'kube-apiserver',
  'world-ipv4',
  'world-ipv6',
] as const;
export type Entity = (typeof ENTITIES)[number];

/** Has exactly one of `cidr`, `cidrGroupRef` and `cidrGroupSelector`. */
export interface CidrRule {
  cidr?: string;
  /** Name of a CiliumCIDRGroup. */
  cidrGroupRef?: string;
  /** Selects CiliumCIDRGroups by their own labels; keys carry no source. */
  cidrGroupSelector?: LabelSelector;
  /** Prefixes inside `cidr` that are excluded. */
  except?: string[];
}

/** Whether a rule excludes prefixes from those that it names. */
export function hasExceptions({
  ingress = [],
  ingressDeny = [],
  egress = [],
  egressDeny = [],
}: Rule): boolean {
  const sets = [
    ...[...ingress, ...ingressDeny].map(({ fromCIDRSet }) => fromCIDRSet),
    ...[...egress, ...egressDeny].map(({ toCIDRSet }) => toCIDRSet),
  ];
  return sets.some((set) => set?.some(({ except = [] }) => except.length > 0));
}

export interface Service {
  k8sServiceSelector?: { selector: LabelSelector; namespace?: string };
  k8sService?: { serviceName?: string; namespace?: string };
}

export interface Group {
  aws?: {
    labels?: Record<string, string>;
    securityGroupsIds?: string[];
    securityGroupsNames?: string[];
    region?: string;
  };
}

/** Has exactly one of the two. */
export interface FqdnSelector {
  matchName?: string;
  /** `*` matches any characters within a DNS label, `*` alone every name, `**.` (from 1.19 on) any depth. */
  matchPattern?: string;
}

export interface Authentication {
  mode: 'disabled' | 'required' | 'test-always-fail';
}

export interface PortDenyRule {
  /** Absent: every port. */
  ports?: PortProtocol[];
}

export interface PortRule extends PortDenyRule {
  terminatingTLS?: TlsContext;
  originatingTLS?: TlsContext;
  /** Server names (SNI) that the client may ask for. */
  serverNames?: string[];
  listener?: Listener;
  rules?: L7Rules;
}

export const PROTOCOLS = [
  'TCP',
  'UDP',
  'SCTP',
  'ICMP',
  'ICMPv6',
  'VRRP',
  'IGMP',
  'GRE',
  'IPIP',
  'IPV6',
  'ESP',
  'AH',
  'ANY',
] as const;
export type Protocol = (typeof PROTOCOLS)[number];

export interface PortProtocol {
  /** A number as a string, or the (lower-case) name of a container port. `0` is every port. */
  port: string;
  /** Last port of a range that begins with `port`. */
  endPort?: number;
  /** Absent only in deny rules for agents up to 1.14, some of which do not take it for any protocol. */
  protocol?: Protocol;
}

/** Has at most one of `http`, `kafka`, `dns` and `l7proto`; an empty list counts as present. */
export interface L7Rules {
  http?: HttpRule[];
  kafka?: KafkaRule[];
  dns?: FqdnSelector[];
  /** Name of an Envoy filter that `l7` is for. */
  l7proto?: string;
  l7?: Record<string, string>[];
}

/** Absent means any. `path`, `method` and `host` are RE2 expressions that match the whole value. */
export interface HttpRule {
  path?: string;
  method?: string;
  host?: string;
  /** `Name: value` or `Name`. */
  headers?: string[];
  headerMatches?: HeaderMatch[];
}

export interface HeaderMatch {
  mismatch?: 'LOG' | 'ADD' | 'DELETE' | 'REPLACE';
  name: string;
  secret?: SecretRef;
  value?: string;
}

export interface KafkaRule {
  role?: string;
  apiKey?: string;
  apiVersion?: string;
  clientID?: string;
  topic?: string;
}

export interface Listener {
  envoyConfig: { kind?: 'CiliumEnvoyConfig' | 'CiliumClusterwideEnvoyConfig'; name: string };
  name: string;
  /** 1 (first) to 100 (last): which proxy wins when several rules want one. */
  priority?: number;
}

export interface TlsContext {
  secret: SecretRef;
  trustedCA?: string;
  certificate?: string;
  privateKey?: string;
}

export interface SecretRef {
  namespace?: string;
  name: string;
}

export interface IcmpRule {
  fields?: IcmpField[];
}

export interface IcmpField {
  /** Absent means IPv4. */
  family?: 'IPv4' | 'IPv6';
  /** A number, or a name of the family (`EchoRequest`). */
  type: number | string;
}

/** A parsed document that can locate its parts. */
export interface SourceDocument {
  /** As the user named it; `-` is stdin. */
  readonly file: string;
  /** The position of the path's longest part that exists: of the field's name where the path ends in one. */
  locate(path: Path): Position;
}

/** Kinds of objects that hold rules; `rule` is the agent's own JSON form. */
export type OriginKind =
  | 'CiliumNetworkPolicy'
  | 'CiliumClusterwideNetworkPolicy'
  | 'NetworkPolicy'
  | 'ClusterNetworkPolicy'
  | 'rule';

/** The object that a rule was written in. */
export interface Origin {
  kind: OriginKind;
  /** Of namespaced objects, and of agent rules that carry the namespace in a label. */
  namespace?: string;
  name?: string;
  source: SourceDocument;
  /** The rule's place in the source. */
  path: Path;
  /** The place below it that all of the rule is written at, where one object makes several rules. */
  part?: Path;
}

/** A rule and where it came from. */
export interface SourcedRule {
  rule: Rule;
  origin: Origin;
  /** Agents refuse the rule's object unless they give nodes labels of their own (enable-node-selector-labels). */
  needsNodeLabels?: true;
}

/** Where a part of a rule is written; without `part`, the rule itself. */
export function positionOf({ source, path }: Origin, part: Path = []): Position {
  return source.locate([...path, ...part]);
}

/**
 * One entry of the list that an agent from 1.19 on returns for `GET /policy`: one direction of one rule, with its peers
 * and ports. Entries with a lower tier, then a lower priority, are evaluated first.
 */
export interface PolicyEntry {
  Tier: number;
  Priority: number;
  Authentication: Authentication | null;
  Log: Partial<RuleLog>;
  Subject: LabelSelector;
  /** A selector (keys as `source.key`), or a string such as `cidr:10.0.0.0/8-[10.1.0.0/16]` or an FQDN selector. */
  L3: (LabelSelector | string)[] | null;
  L4: (PortRule & IcmpRule)[] | null;
  Labels: Label[];
  DefaultDeny: boolean;
  /** 0 allow, 1 deny, 2 pass. */
  Verdict: number;
  Ingress: boolean;
  /** The subject is the node itself. */
  Node: boolean;
}
