import { type AddressRange, parseRange } from '../../../lib/address.ts';
import type { ContainerPort } from '../../../model/agent-lists.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { AGGREGATE_IDS, hasIdentity, reservedLabels } from '../../../model/reserved-identity.ts';
import type { SourcedRule } from '../../rule.ts';
import { type AggregateOf, aggregateByKind, aggregateOfAll } from '../maps/aggregates.ts';
import {
  type CompiledRule,
  compileRule,
  DIRECTIONS,
  type Direction,
  type Part,
} from '../maps/compile-rule.ts';
import { type DirectionPolicy, directionPolicy } from '../maps/direction-policy.ts';
import { plainMap } from '../maps/plain-map.ts';
import {
  type EgressPorts,
  entriesOf,
  type MapEntry,
  type MapState,
  mapState,
  type NamedPort,
} from '../maps/policy-map.ts';
import { protocolNumber } from '../maps/ports.ts';
import { precedenceMap } from '../maps/precedence-map.ts';
import type { ClusterObjects, PodObject } from '../selectors/cluster-objects.ts';
import {
  asksNamespace,
  Identities,
  type Identity,
  identityOf,
  isNode,
  isOutside,
  isPodNumber,
  isReserved,
} from '../selectors/identities.ts';
import { selectsOrWhy } from '../selectors/match.ts';
import type { CidrMatchMode, Surroundings } from '../selectors/peers.ts';
import { SelectorCache } from '../selectors/selection.ts';
import type { Selector } from '../selectors/selector.ts';

/** An endpoint of this node: its id, its identity, and the ports that rules may refer to by name. */
export interface Endpoint {
  id: number;
  identity: number;
  namedPorts?: readonly ContainerPort[];
}

/** Which identity an address or prefix has. */
interface AddressOf {
  cidr: string;
  identity: number;
}

/** The agent's settings that change the meaning of rules. */
export interface Settings {
  /** `default`: only endpoints that a rule selects; `always`; `never`. */
  enforcement: 'default' | 'always' | 'never';
  /** The nodes' own traffic is subject to rules with a node selector. Undefined: not known. */
  hostFirewall: boolean | undefined;
  /** Agents read ClusterNetworkPolicy, which those of 1.20 do with an option. Undefined: not known. */
  clusterNetworkPolicy: boolean | undefined;
  /** Nodes have labels of their own, which a ClusterNetworkPolicy may select them by. Undefined: not known. */
  nodeLabels: boolean | undefined;
  /** Which peers of the cluster CIDR rules select. Undefined: not known. */
  cidrMatchMode: CidrMatchMode | undefined;
  /** Pods accept connections from their node even without a rule (the agent's default under Kubernetes). */
  allowLocalhost: boolean;
  /** The release whose maps are computed, and whose way of handling CIDR exceptions is used. Undefined: not known. */
  release: Release | undefined;
  /** Name of the cluster; undefined takes it from the identities' labels. */
  clusterName?: string;
  /** Addresses of both families are in use; undefined looks at the identities. */
  dualStack?: boolean;
  /** Addresses of nodes and pods, all of those of an identity that has one. */
  addresses?: readonly AddressOf[];
  /** CIDR groups and services that rules refer to. */
  objects?: ClusterObjects;
}

const DEFAULT_SETTINGS: Settings = {
  enforcement: 'default',
  hostFirewall: undefined,
  clusterNetworkPolicy: undefined,
  nodeLabels: undefined,
  cidrMatchMode: undefined,
  allowLocalhost: false,
  release: undefined,
};

/** The release that is assumed where none is known. */
const USUAL_RELEASE: Release = '1.17';

/** The first release whose agents read ClusterNetworkPolicy, and whose CIDR rules can select pods. */
export const NEWEST_NEEDED: Release = '1.20';

/** Whether only agents from there on can have these settings. */
export function needsNewest({ clusterNetworkPolicy, cidrMatchMode }: Partial<Settings>): boolean {
  return clusterNetworkPolicy === true || cidrMatchMode?.includes('pods') === true;
}

/** The policy of one identity. */
export interface SubjectPolicy {
  identity: Identity;
  ingress: DirectionPolicy;
  egress: DirectionPolicy;
  /** What rules add that are for this identity only if it has labels that are not known, and why they are not. */
  perhaps?: { why: string; ingress: DirectionPolicy; egress: DirectionPolicy };
  /** Its policy if an option of the agents is on of which that is not known. The above is without. */
  whenOn?: { why: string; policy: SubjectPolicy };
}

/** Settings that decide which rules the agents have. */
type Option = 'clusterNetworkPolicy' | 'nodeLabels';

const NOT_KNOWN: Readonly<Record<Option, string>> = {
  clusterNetworkPolicy:
    'whether the agents read ClusterNetworkPolicy is not known (--cluster-network-policy)',
  nodeLabels: 'whether the agents have the option enable-node-selector-labels is not known',
};

const NOT_ENFORCED: DirectionPolicy = {
  enforced: false,
  open: false,
  filters: [],
  parts: [],
  levels: [],
  closedBy: [],
};

/** Identifies a rule while other rules are added and removed. */
export type RuleHandle = number;

/**
 * Evaluates rules for identities. Results are computed on demand and cached until a rule that affects them changes.
 */
export class PolicyEngine {
  readonly identities: Identities;
  readonly endpoints: readonly Endpoint[];
  readonly settings: Settings;
  readonly selectors: SelectorCache;
  readonly #around: Surroundings;
  readonly #rules = new Map<RuleHandle, CompiledRule>();
  /** Rules by subject. Subjects are indexed by a label that each requires; those without one are tried one by one. */
  readonly #bySubject = new Map<string, SubjectGroup>();
  readonly #byLabel = new Map<string, Set<SubjectGroup>>();
  readonly #anyLabel = new Set<SubjectGroup>();
  readonly #policies = new Map<number, SubjectPolicy>();
  /** By identity, then by the endpoint's own named ports. */
  readonly #maps = new Map<number, Map<string, Record<Direction, MapState>>>();
  readonly #namedPorts: Map<string, number>;
  readonly #aggregateOf: AggregateOf;
  #hasEveryEndpoint: boolean | undefined;
  #nextHandle: RuleHandle = 0;

  constructor(
    identities: Iterable<Identity>,
    endpoints: readonly Endpoint[],
    settings: Partial<Settings> = {},
  ) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    const { objects, addresses = [], cidrMatchMode } = this.settings;
    this.identities = new Identities(withAddresses(identitiesIn(this.release, identities), addresses));
    this.endpoints = endpoints;
    this.selectors = new SelectorCache(this.identities);
    this.#around = {
      clusterName: this.settings.clusterName ?? this.identities.clusterName(endpoints),
      dualStack: this.settings.dualStack ?? this.identities.dualStack(),
      release: this.release,
      assumed: this.settings.release === undefined && !needsNewest(this.settings),
      cidrMatchMode,
      ...(objects && { objects }),
    };
    this.#namedPorts = portsByName(endpoints);
    this.#aggregateOf = atLeast(this.release, '1.20')
      ? aggregateByKind(this.identities, this.#around.clusterName)
      : aggregateOfAll;
  }

  /** The release whose rules and maps are followed. */
  get release(): Release {
    return this.settings.release ?? (needsNewest(this.settings) ? NEWEST_NEEDED : USUAL_RELEASE);
  }

  /** Name of the cluster that the entity `cluster` means. */
  get clusterName(): string | undefined {
    return this.#around.clusterName;
  }

  /** Addresses of both families are in use. Undefined: not known. */
  get dualStack(): boolean | undefined {
    return this.#around.dualStack;
  }

  /** Rules in the order in which they were added, without those that the agents do not read. */
  get rules(): CompiledRule[] {
    return [...this.#rules.values()].filter((rule) => this.#has(rule) !== false);
  }

  /** Adds a rule. Cached results that it affects are dropped. */
  add(source: SourcedRule): RuleHandle {
    const handle = this.#nextHandle++;
    const rule = compileRule(source, this.#around);
    this.#rules.set(handle, rule);
    this.#groupOf(rule).handles.add(handle);
    this.#forget(rule);
    return handle;
  }

  addAll(sources: Iterable<SourcedRule>): this {
    for (const source of sources) this.add(source);
    return this;
  }

  remove(handle: RuleHandle): void {
    const rule = this.#rules.get(handle);
    if (!rule) return;
    this.#rules.delete(handle);
    this.#groupOf(rule).handles.delete(handle);
    this.#forget(rule);
  }

  replace(handle: RuleHandle, source: SourcedRule): RuleHandle {
    this.remove(handle);
    return this.add(source);
  }

  /** The policy of an identity, which need not be one of those given at the start. */
  policyOf(identity: Identity): SubjectPolicy {
    const known = this.#policies.get(identity.id);
    if (known && known.identity === identity) return known;
    const policy = this.#resolve(identity);
    this.#policies.set(identity.id, policy);
    return policy;
  }

  /** The policy map of an endpoint, both directions. */
  mapsOf(endpoint: Endpoint): Record<Direction, MapState> {
    const identity = this.identities.get(endpoint.identity);
    const ports = (endpoint.namedPorts ?? []).map(
      ({ name, port, protocol }) => `${name}/${protocol}=${port}`,
    );
    const key = ports.sort().join(' ');
    const ofIdentity = this.#maps.get(endpoint.identity) ?? new Map<string, Record<Direction, MapState>>();
    this.#maps.set(endpoint.identity, ofIdentity);
    const known = ofIdentity.get(key);
    if (known) return known;
    const maps = identity
      ? this.#mapsFor(this.policyOf(identity), endpoint)
      : { ingress: new Map(), egress: new Map() };
    ofIdentity.set(key, maps);
    return maps;
  }

  /** Entries of an endpoint's policy map, ingress first, each direction in order. */
  entriesOf(endpoint: Endpoint): MapEntry[] {
    const maps = this.mapsOf(endpoint);
    return DIRECTIONS.flatMap((direction) => entriesOf(direction, maps[direction], this.release));
  }

  /**
   * The numbers that endpoints have for a named container port: those of one identity, or all. Undefined when nothing is
   * known of their ports.
   */
  portsNamed(name: string, protocol: number, owner?: Identity): ReadonlySet<number> | undefined {
    const given = this.settings.objects?.pods ?? [];
    const own = [...this.endpoints, ...given].filter(
      ({ identity, namedPorts }) => namedPorts && (owner === undefined || identity === owner.id),
    );
    if (own.length === 0) return undefined;
    const numbers = new Set<number>();
    for (const { namedPorts = [] } of own)
      for (const each of namedPorts)
        if (each.name.toLowerCase() === name && protocolNumber(each.protocol) === protocol)
          numbers.add(each.port);
    return numbers;
  }

  /** Whether there is an endpoint of every pod: agents list those of their own node. */
  get hasEveryEndpoint(): boolean {
    this.#hasEveryEndpoint ??= hasEndpoints(this.identities, [
      ...this.endpoints,
      ...(this.settings.objects?.pods ?? []),
    ]);
    return this.#hasEveryEndpoint;
  }

  /** Whether a port name in an egress rule stands for the destination's own number (from 1.20 on); undefined: not known. */
  get resolvesNames(): boolean | undefined {
    const { release } = this.settings;
    return release && atLeast(release, '1.20');
  }

  #mapsFor(policy: SubjectPolicy, endpoint: Endpoint): Record<Direction, MapState> {
    const applies = !isNode(policy.identity) || this.settings.hostFirewall === true;
    const { ingress, egress } = applies ? policy : { ingress: NOT_ENFORCED, egress: NOT_ENFORCED };
    const own = portsByName([endpoint]);
    const namedPort = (ports: ReadonlyMap<string, number>): NamedPort => {
      return (name, protocol) => ports.get(`${name}/${protocol}`) ?? 0;
    };
    const { allowLocalhost: allowHost } = this.settings;
    const release = this.release;
    if (atLeast(release, '1.18')) {
      const common = { release, aggregateOf: this.#aggregateOf };
      const egressPorts = atLeast(release, '1.20') ? this.#portsByIdentity : undefined;
      const [ingressPort, egressPort] = [namedPort(own), namedPort(this.#namedPorts)];
      return {
        ingress: precedenceMap(ingress, {
          ...common,
          allowHost,
          namedPort: ingressPort,
          egressPorts: undefined,
        }),
        egress: precedenceMap(egress, { ...common, allowHost: false, namedPort: egressPort, egressPorts }),
      };
    }
    if (!atLeast(release, '1.14'))
      return {
        ingress: plainMap(ingress, namedPort(own), allowHost),
        egress: plainMap(egress, namedPort(this.#namedPorts), false),
      };
    return {
      ingress: mapState(ingress, this.identities, namedPort(own), allowHost),
      egress: mapState(egress, this.identities, namedPort(this.#namedPorts), false),
    };
  }

  /** From 1.20 on a port name on egress means the peer's own number. An identity with several numbers has none. */
  readonly #portsByIdentity: EgressPorts = (name, protocol) => {
    const identities = new Set(this.endpoints.map(({ identity }) => identity));
    return [...identities].flatMap((identity): [number, number][] => {
      const own = this.endpoints.filter((endpoint) => endpoint.identity === identity);
      const port = portsByName(own).get(`${name}/${protocol}`) ?? 0;
      return port === 0 ? [] : [[identity, port]];
    });
  };

  /** Rules whose subject the identity is, or may be, in order. */
  rulesFor(identity: Identity): CompiledRule[] {
    return this.#rulesFor(identity).map(({ rule }) => rule);
  }

  /** Whether the rule is for the identity only if it has labels that are not known. */
  maySelect(rule: CompiledRule, identity: Identity): boolean {
    return this.#rulesFor(identity).some((each) => each.rule === rule && each.unless !== undefined);
  }

  /** Whether the agents have the rule, or the option that this rests on. `on` are options that are taken to be on. */
  #has({ source }: CompiledRule, on: readonly Option[] = []): boolean | Option {
    if (source.origin.kind !== 'ClusterNetworkPolicy') return true;
    const { release } = this.settings;
    if (release !== undefined && !atLeast(release, NEWEST_NEEDED)) return false;
    const needed: Option[] = [
      'clusterNetworkPolicy',
      ...(source.needsNodeLabels ? (['nodeLabels'] as const) : []),
    ];
    if (needed.some((option) => this.settings[option] === false)) return false;
    return needed.find((option) => !this.settings[option] && !on.includes(option)) ?? true;
  }

  /** Rules of which it is not known whether the agents have them, with the reason. */
  get openRules(): { rule: CompiledRule; why: string }[] {
    return this.rules.flatMap((rule) => {
      const has = this.#has(rule);
      return typeof has === 'string' ? [{ rule, why: NOT_KNOWN[has] }] : [];
    });
  }

  /** Rules for the identity in order; `unless` says why it is not sure that they are for it. */
  #rulesFor(identity: Identity): { rule: CompiledRule; unless?: string }[] {
    const found = new Map<RuleHandle, boolean | string>();
    const take = (groups: Iterable<SubjectGroup>) => {
      for (const { subject, handles } of groups) {
        const selected = selectsOrWhy(subject, identity, 'subject');
        if (selected !== false) for (const handle of handles) found.set(handle, selected);
      }
    };
    if (identity.gap) take(this.#bySubject.values());
    else {
      take(this.#anyLabel);
      for (const { key, value } of identity.labels) take(this.#byLabel.get(`${key}=${value}`) ?? []);
    }
    const gap = identity.gap?.of === 'any' ? identity.gap.why : undefined;
    return [...found]
      .sort(([a], [b]) => a - b)
      .flatMap(([handle, selected]) => {
        const rule = this.#rules.get(handle);
        if (!rule || this.#has(rule) === false) return [];
        if (gap === undefined && rule.node !== isNode(identity)) return [];
        const unless = gap ?? (selected === true ? undefined : String(selected));
        return [{ rule, ...(unless !== undefined && { unless }) }];
      });
  }

  /** `on` are options of the agents that are taken to be on. */
  #resolve(identity: Identity, on: readonly Option[] = []): SubjectPolicy {
    const { enforcement, hostFirewall } = this.settings;
    if (enforcement === 'never' || (isNode(identity) && hostFirewall === false))
      return { identity, ingress: NOT_ENFORCED, egress: NOT_ENFORCED };
    const all = this.#rulesFor(identity);
    const found = all.filter(({ rule }) => this.#has(rule, on) === true);
    const [option] = all.map(({ rule }) => this.#has(rule, on)).filter((has) => typeof has === 'string');
    let sure = found.filter(({ unless }) => unless === undefined).map(({ rule }) => rule);
    let perhaps = found.filter(({ unless }) => unless !== undefined).map(({ rule }) => rule);
    const why = identity.gap?.why ?? found.flatMap(({ unless }) => unless ?? [])[0] ?? '';
    if (perhaps.some(({ requires }) => Object.values(requires).some((terms) => terms.length > 0)))
      [sure, perhaps] = [[], [...sure, ...perhaps]];
    const always = enforcement === 'always' || isReserved(identity, 'init');
    const policyOf = (rules: readonly CompiledRule[], closed: boolean) => {
      const partsOf = this.#withRequirements(rules);
      return {
        ingress: directionPolicy('ingress', rules, this.selectors, closed, partsOf),
        egress: directionPolicy('egress', rules, this.selectors, closed, partsOf),
      };
    };
    return {
      identity,
      ...policyOf(sure, always),
      ...(perhaps.length > 0 && { perhaps: { why, ...policyOf(perhaps, false) } }),
      ...(option && { whenOn: { why: NOT_KNOWN[option], policy: this.#resolve(identity, [...on, option]) } }),
    };
  }

  /** `fromRequires` and `toRequires` bind every rule for the subject. */
  #withRequirements(rules: readonly CompiledRule[]): (rule: CompiledRule) => readonly Part[] {
    const collect = (section: keyof CompiledRule['requires']) =>
      rules.flatMap((rule) => rule.requires[section]);
    const all = {
      ingress: collect('ingress'),
      ingressDeny: collect('ingressDeny'),
      egress: collect('egress'),
      egressDeny: collect('egressDeny'),
    };
    if (Object.values(all).every((terms) => terms.length === 0)) return ({ parts }) => parts;
    return (rule) => compileRule(rule.source, this.#around, all).parts.map((part) => ({ ...part, rule }));
  }

  /** The group of rules with the same subject. */
  #groupOf({ subject }: CompiledRule): SubjectGroup {
    const known = this.#bySubject.get(subject.key);
    if (known) return known;
    const group: SubjectGroup = { subject, handles: new Set() };
    this.#bySubject.set(subject.key, group);
    const indexed = subject.kind === 'labels' && !asksNamespace(subject.terms);
    const label = indexed ? this.identities.rarest(subject.terms) : undefined;
    const set = label === undefined ? this.#anyLabel : (this.#byLabel.get(label) ?? new Set());
    if (label !== undefined) this.#byLabel.set(label, set);
    set.add(group);
    return group;
  }

  /** Drops what was computed for the subjects of a rule. */
  #forget({ subject }: CompiledRule): void {
    for (const [id, { identity }] of this.#policies) {
      if (selectsOrWhy(subject, identity, 'subject') === false) continue;
      this.#policies.delete(id);
      this.#maps.delete(id);
    }
  }
}

/** Leaves out the reserved identities that the release does not have, and adds those that no agent of it is without. */
function identitiesIn(release: Release, given: Iterable<Identity>): Identity[] {
  // States that people write may number their pods from 1 on.
  const known = [...given].filter(
    ({ id, labels }) => hasIdentity(release, id) || !labels.some(({ source }) => source === 'reserved'),
  );
  if (known.length === 0 || !atLeast(release, '1.20')) return known;
  const ids = new Set(known.map(({ id }) => id));
  const missing = Object.entries(AGGREGATE_IDS).filter(([, id]) => !ids.has(id));
  return [...known, ...missing.map(([name, id]) => identityOf(id, reservedLabels(name)))];
}

/** Adds to nodes and pods the addresses that the address book has for them. */
function withAddresses(identities: readonly Identity[], book: readonly AddressOf[]): readonly Identity[] {
  const known = new Map<number, AddressRange[]>();
  for (const { cidr, identity } of book) {
    const range = parseRange(cidr);
    if (range) known.set(identity, [...(known.get(identity) ?? []), range]);
  }
  return identities.map((each) => {
    const addresses = known.get(each.id);
    return addresses && !each.addresses && !isOutside(each) ? { ...each, addresses } : each;
  });
}

function hasEndpoints(identities: Identities, endpoints: readonly Pick<PodObject, 'identity'>[]): boolean {
  const there = new Set(endpoints.map(({ identity }) => identity));
  return [...identities.all.keys()].every((id) => !isPodNumber(id) || there.has(id));
}

/** Rules that share a subject. */
interface SubjectGroup {
  subject: Selector;
  handles: Set<RuleHandle>;
}

/** Ports by `name/protocol` number. A name that stands for several ports stands for none. */
function portsByName(endpoints: readonly Endpoint[]): Map<string, number> {
  const ports = new Map<string, number>();
  for (const { namedPorts } of endpoints) {
    for (const { name, port, protocol } of namedPorts ?? []) {
      const key = `${name.toLowerCase()}/${protocolNumber(protocol) ?? 0}`;
      const known = ports.get(key);
      ports.set(key, known === undefined || known === port ? port : 0);
    }
  }
  return ports;
}
