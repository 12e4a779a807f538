import { type AddressRange, parseRange } from '../../../lib/address.ts';
import { atLeast, type Release } from '../../../model/release.ts';
import { AGGREGATE_IDS, hasIdentity, reservedLabels } from '../../../model/reserved-identity.ts';
import type { SourcedRule } from '../../rule.ts';
import {
  type CompiledRule,
  compileRule,
  DIRECTIONS,
  type Direction,
  differsByBuild,
  type Part,
} from '../maps/compile-rule.ts';
import {
  type Conflict,
  conflictAmong,
  type DirectionPolicy,
  directionPolicy,
} from '../maps/direction-policy.ts';
import { entriesOf, type MapEntry, type MapState } from '../maps/policy-map.ts';
import { protocolNumber } from '../maps/ports.ts';
import type { PodObject } from '../selectors/cluster-objects.ts';
import {
  Identities,
  type Identity,
  identityOf,
  isNode,
  isOutside,
  isPodNumber,
  isReserved,
} from '../selectors/identities.ts';
import { selectsOrWhy } from '../selectors/match.ts';
import { SelectorCache } from '../selectors/selection.ts';
import type { Surroundings } from '../selectors/surroundings.ts';
import { type Endpoint, EndpointMaps } from './endpoint-maps.ts';
import {
  type AddressOf,
  DEFAULT_SETTINGS,
  hasRule,
  NEWEST_NEEDED,
  NOT_KNOWN,
  needsNewest,
  type Option,
  releaseOfMaps,
  type Settings,
  USUAL_RELEASE,
} from './settings.ts';
import { type RuleHandle, SubjectIndex } from './subject-index.ts';

/** The policy of one identity. */
export interface SubjectPolicy {
  identity: Identity;
  ingress: DirectionPolicy;
  egress: DirectionPolicy;
  /** Rules that agents cannot merge, or cannot if all of `perhaps` are for it: it keeps what it had, in both directions. */
  conflict?: Conflict;
  /** What rules add that are for this identity only if it has labels that are not known, and why they are not. */
  perhaps?: { why: string; ingress: DirectionPolicy; egress: DirectionPolicy };
  /** Its policy if an option of the agents is on of which that is not known. The above is without. */
  whenOn?: { why: string; policy: SubjectPolicy };
}

const NOT_ENFORCED: DirectionPolicy = {
  enforced: false,
  open: false,
  filters: [],
  parts: [],
  levels: [],
  closedBy: [],
};

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
  readonly #subjects: SubjectIndex;
  readonly #policies = new Map<number, SubjectPolicy>();
  /** By identity, then by the endpoint's own named ports. */
  readonly #maps = new Map<number, Map<string, Record<Direction, MapState>>>();
  readonly #endpointMaps: EndpointMaps;
  #hasEveryEndpoint: boolean | undefined;
  #otherBuild: PolicyEngine | false | undefined;
  #nextHandle: RuleHandle = 0;

  constructor(
    identities: Iterable<Identity>,
    endpoints: readonly Endpoint[],
    settings: Partial<Settings> = {},
  ) {
    this.settings = { ...DEFAULT_SETTINGS, ...settings };
    const { objects, addresses = [], cidrMatchMode, defaultLocalCluster } = this.settings;
    this.identities = new Identities(withAddresses(identitiesIn(this.release, identities), addresses));
    this.endpoints = endpoints;
    this.selectors = new SelectorCache(this.identities);
    this.#subjects = new SubjectIndex(this.identities);
    this.#around = {
      clusterName: this.settings.clusterName ?? this.identities.clusterName(endpoints),
      dualStack: this.settings.dualStack ?? this.identities.dualStack(),
      release: this.releaseOfMaps,
      assumed: this.settings.release === undefined && !needsNewest(this.settings),
      cidrMatchMode,
      defaultLocalCluster,
      byNamespace: atLeast(this.releaseOfMaps, '1.17'),
      ...(objects && { objects }),
    };
    const { allowLocalhost } = this.settings;
    const { releaseOfMaps: release, clusterName } = this;
    this.#endpointMaps = new EndpointMaps({
      identities: this.identities,
      endpoints,
      clusterName,
      release,
      allowLocalhost,
    });
  }

  /** The release whose rules are followed. */
  get release(): Release {
    return this.settings.release ?? (needsNewest(this.settings) ? NEWEST_NEEDED : USUAL_RELEASE);
  }

  /** The release whose maps are made. */
  get releaseOfMaps(): Release {
    return releaseOfMaps(this.release, this.settings.development);
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
    return [...this.#rules.values()].filter((rule) => hasRule(this.settings, rule.source) !== false);
  }

  /** Adds a rule. Cached results that it affects are dropped. */
  add(source: SourcedRule): RuleHandle {
    const handle = this.#nextHandle++;
    const rule = compileRule(source, this.#around);
    this.#rules.set(handle, rule);
    this.#subjects.add(rule.subject, handle);
    this.#forget(rule);
    return handle;
  }

  addAll(sources: Iterable<SourcedRule>): this {
    for (const source of sources) this.add(source);
    return this;
  }

  /** The same identities, endpoints and rules with other settings. */
  withSettings(settings: Partial<Settings>): PolicyEngine {
    const all = [...this.#rules.values()].map(({ source }) => source);
    return new PolicyEngine(this.identities.all.values(), this.endpoints, {
      ...this.settings,
      ...settings,
    }).addAll(all);
  }

  /** As agents of the release decide, where it is not known whether the agent was built on the way to it, which may differ. */
  get otherBuild(): PolicyEngine | undefined {
    this.#otherBuild ??=
      this.settings.development === undefined &&
      this.releaseOfMaps !== this.release &&
      [...this.#rules.values()].some(({ source }) => differsByBuild(source)) &&
      this.withSettings({ development: false });
    return this.#otherBuild || undefined;
  }

  remove(handle: RuleHandle): void {
    const rule = this.#rules.get(handle);
    if (!rule) return;
    this.#rules.delete(handle);
    this.#subjects.remove(rule.subject, handle);
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
      ? this.#endpointMaps.of(this.#inForce(identity), endpoint)
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

  /** The policy that its maps hold: that of a node only with the host firewall. */
  #inForce(identity: Identity): Record<Direction, DirectionPolicy> {
    const applies = !isNode(identity) || this.settings.hostFirewall === true;
    return applies ? this.policyOf(identity) : { ingress: NOT_ENFORCED, egress: NOT_ENFORCED };
  }

  /** Rules whose subject the identity is, or may be, in order. */
  rulesFor(identity: Identity): CompiledRule[] {
    return this.#rulesFor(identity).map(({ rule }) => rule);
  }

  /** Whether the rule is for the identity only if it has labels that are not known. */
  maySelect(rule: CompiledRule, identity: Identity): boolean {
    return this.#rulesFor(identity).some((each) => each.rule === rule && each.unless !== undefined);
  }

  /** Rules of which it is not known whether the agents have them, with the reason. */
  get openRules(): { rule: CompiledRule; why: string }[] {
    return this.rules.flatMap((rule) => {
      const has = hasRule(this.settings, rule.source);
      return typeof has === 'string' ? [{ rule, why: NOT_KNOWN[has] }] : [];
    });
  }

  /** Rules for the identity in order; `unless` says why it is not sure that they are for it. */
  #rulesFor(identity: Identity): { rule: CompiledRule; unless?: string }[] {
    const gap = identity.gap?.of === 'any' ? identity.gap.why : undefined;
    return [...this.#subjects.handlesFor(identity)]
      .sort(([a], [b]) => a - b)
      .flatMap(([handle, selected]) => {
        const rule = this.#rules.get(handle);
        if (!rule || hasRule(this.settings, rule.source) === false) return [];
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
    const found = all.filter(({ rule }) => hasRule(this.settings, rule.source, on) === true);
    const [option] = all
      .map(({ rule }) => hasRule(this.settings, rule.source, on))
      .filter((has) => typeof has === 'string');
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
    const own = policyOf(sure, always);
    const conflict =
      own.ingress.conflict ?? own.egress.conflict ?? this.#possibleConflict(sure, perhaps, why);
    return {
      identity,
      ...own,
      ...(conflict && { conflict }),
      ...(perhaps.length > 0 && { perhaps: { why, ...policyOf(perhaps, false) } }),
      ...(option && { whenOn: { why: NOT_KNOWN[option], policy: this.#resolve(identity, [...on, option]) } }),
    };
  }

  /** A conflict that there is if the rules of `perhaps` are for the subject. What they deny may be absent. */
  #possibleConflict(
    sure: readonly CompiledRule[],
    perhaps: readonly CompiledRule[],
    why: string,
  ): Conflict | undefined {
    if (perhaps.length === 0) return undefined;
    const all = [...sure, ...perhaps];
    const partsOf = this.#withRequirements(all);
    const allowing = (rule: CompiledRule) =>
      partsOf(rule).filter(({ deny }) => !deny || !perhaps.includes(rule));
    const [found] = DIRECTIONS.flatMap(
      (direction) => conflictAmong(direction, all, this.selectors, allowing) ?? [],
    );
    return found && { ...found, why: `${why}; if all these rules are for it, ${found.why}` };
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

  /** Drops what was computed for the subjects of a rule. */
  #forget({ subject }: CompiledRule): void {
    this.#otherBuild = undefined;
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
