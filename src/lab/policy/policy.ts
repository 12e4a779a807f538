import type { PolicyRule as ApiRule, SelectorCache } from '../../agent/decode/types.gen.ts';
import { formatRange } from '../../lib/address.ts';
import { protocolName } from '../../model/protocol.ts';
import { type ConnectionDecision, decideConnection } from '../../policy/evaluate/decide/decide.ts';
import { PolicyEngine as Evaluator } from '../../policy/evaluate/decide/engine.ts';
import type { Traffic } from '../../policy/evaluate/decide/ports-of-traffic.ts';
import { type CompiledRule, compileRule, type Direction } from '../../policy/evaluate/maps/compile-rule.ts';
import type { DirectionPolicy, Filter, PeerPolicy } from '../../policy/evaluate/maps/direction-policy.ts';
import type { MapEntry } from '../../policy/evaluate/maps/policy-map.ts';
import { noObjects, serviceOf } from '../../policy/evaluate/selectors/cluster-objects.ts';
import { type Identity, identityOf } from '../../policy/evaluate/selectors/identities.ts';
import type { Selector } from '../../policy/evaluate/selectors/selector.ts';
import type { Surroundings } from '../../policy/evaluate/selectors/surroundings.ts';
import type { L7Rules } from '../../policy/rule.ts';
import type { LabEndpoint, LabIdentity, LabState, PolicyRule } from '../state/state.ts';
import { type AgentVersion, plays, releasePlayed } from '../version.ts';
import { entriesOfRules } from './entries.ts';
import { ruleLabels, sourced } from './rules.ts';
import { selectorText } from './selector-text.ts';

/** What the engine decides about. */
export interface PolicyInput {
  rules: readonly PolicyRule[];
  /** Reserved ones included. */
  identities: readonly LabIdentity[];
  endpoints: readonly Pick<LabEndpoint, 'id' | 'identity' | 'ports'>[];
  enforcement: string;
  around: Surroundings;
  version: AgentVersion;
  /** Absent: policies decide about traffic of the node itself as well. */
  allowLocalhost?: boolean;
}

/** What the rules make of one endpoint. Lists are null where the reference writes none. */
export interface EndpointPolicyFacts {
  ingress: DirectionFacts;
  egress: DirectionFacts;
  /** Of its policy map. */
  entries: readonly MapEntry[];
}

export interface DirectionFacts {
  /** Whether traffic that no rule allows is dropped. */
  enforced: boolean;
  /** Identities that are allowed or denied on every port. */
  allowed: number[] | null;
  denied: number[] | null;
  l4: ApiRule[];
  /** Ports that go through a proxy. */
  redirects: { protocol: string; port: number; parser: string }[];
}

/** What rules of the lab may refer to. */
export function surroundingsOf(clusterName: string, services: LabState['services']): Surroundings {
  const objects = noObjects();
  for (const { flags, 'backend-addresses': backends } of services)
    serviceOf(objects, String(flags.namespace), String(flags.name)).addresses.push(
      ...backends.map(({ ip }) => ip),
    );
  return { clusterName, objects };
}

/** The rules of a lab, ready to be asked: the only door between the lab and the policy evaluator. */
export class LabPolicy {
  readonly #evaluator: Evaluator;
  readonly #input: PolicyInput;

  constructor(input: PolicyInput) {
    this.#input = input;
    const { enforcement } = input;
    this.#evaluator = new Evaluator(
      input.identities.map((identity) => identityOf(identity.id, identity.labels)),
      input.endpoints.map((e) => ({ id: e.id, identity: e.identity, namedPorts: e.ports })),
      {
        enforcement: enforcement === 'always' || enforcement === 'never' ? enforcement : 'default',
        release: releasePlayed(input.version),
        allowLocalhost: input.allowLocalhost ?? false,
        development: input.version === 'all' ? undefined : false,
        ...(input.around.clusterName !== undefined && { clusterName: input.around.clusterName }),
        ...(input.around.objects && { objects: input.around.objects }),
      },
    ).addAll(input.rules.map(sourced));
  }

  /** The rules as GET /policy answers them. */
  describe(rules: readonly PolicyRule[]): readonly unknown[] {
    return plays(this.#input.version, '1.19') ? entriesOfRules(rules, this.#input.around) : rules;
  }

  /** What an endpoint is to enforce. */
  endpoint(endpoint: Pick<LabEndpoint, 'id' | 'identity' | 'ports'>): EndpointPolicyFacts {
    const { version } = this.#input;
    const identity = this.identity(endpoint.identity);
    const policy = this.#evaluator.policyOf(identity);
    const entries = this.#evaluator.entriesOf({
      id: endpoint.id,
      identity: endpoint.identity,
      namedPorts: endpoint.ports,
    });
    return {
      ingress: directionFacts('ingress', policy.ingress, entries, version),
      egress: directionFacts('egress', policy.egress, entries, version),
      entries,
    };
  }

  /** The rules for requests of a connection that goes through a proxy; undefined where every request may pass. */
  requestRules(
    endpoint: Pick<LabEndpoint, 'id' | 'identity' | 'ports'>,
    direction: Direction,
    peer: number,
    { protocol, port }: { protocol: number; port: number },
  ): readonly L7Rules[] | undefined {
    const { filters } = this.#evaluator.policyOf(this.identity(endpoint.identity))[direction];
    const rules: L7Rules[] = [];
    for (const filter of filters) {
      if (filter.protocol !== 0 && filter.protocol !== protocol) continue;
      if (!this.#isPortOf(filter, endpoint, direction, port)) continue;
      for (const { selection, deny, redirect, parts } of filter.peers.values()) {
        if (deny || !(selection.wildcard || selection.ids.includes(peer))) continue;
        if (!redirect) return undefined;
        const specs = parts.flatMap(({ ports }) => ports);
        for (const spec of specs.filter(
          (one) => one.port === filter.port && one.protocol === filter.protocol,
        )) {
          if (!spec.l7) return undefined;
          rules.push(spec.l7);
        }
      }
    }
    return rules;
  }

  /** Whether a filter is about a port. A name is one of the endpoint's own ports at ingress, of any endpoint's at egress. */
  #isPortOf(
    { name, protocol, port: first, endPort }: Filter,
    { ports }: Pick<LabEndpoint, 'ports'>,
    direction: Direction,
    port: number,
  ): boolean {
    if (name === '') return first === 0 || (port >= first && port <= Math.max(first, endPort));
    if (direction === 'egress') return this.#evaluator.portsNamed(name, protocol)?.has(port) ?? false;
    return ports.some((one) => one.name === name && one.port === port);
  }

  /** Whether a connection may be. */
  decide(source: number, destination: number, traffic: Traffic): ConnectionDecision {
    return decideConnection(this.#evaluator, this.identity(source), this.identity(destination), traffic);
  }

  /** Peers that rules name, with the identities they stand for. */
  selectors(): SelectorCache {
    return this.#cache((rule) => rule.parts.flatMap((part) => part.peers ?? []));
  }

  /** Endpoints that rules are about. */
  subjectSelectors(): SelectorCache {
    return this.#cache((rule) => [rule.subject]);
  }

  private identity(id: number): Identity {
    return this.#evaluator.identities.get(id) ?? identityOf(id, []);
  }

  #cache(selectorsOf: (rule: CompiledRule) => readonly Selector[]): SelectorCache {
    const entries = new Map<string, { selector: Selector; rules: Set<CompiledRule> }>();
    for (const rule of this.#evaluator.rules) {
      for (const selector of selectorsOf(rule)) {
        if (selector.kind === 'none') continue;
        const text = selectorText(selector, this.#input.version);
        const entry = entries.get(text) ?? { selector, rules: new Set() };
        entry.rules.add(rule);
        entries.set(text, entry);
      }
    }
    return [...entries].map(([text, { selector, rules }]) => {
      const [first] = rules;
      return {
        selector: text,
        identities: [...this.#evaluator.selectors.resolve(selector).ids],
        labels: (first?.source.rule.labels ?? []).map(({ key, value, source }) => ({
          key,
          value,
          ...(source && { source }),
        })),
        users: rules.size,
      };
    });
  }

  /** Identities of the prefixes that rules name, as label sets; those of `except` cut out of them. */
  static prefixLabels(rules: readonly PolicyRule[], around: Surroundings, dualStack: boolean): string[][] {
    const found = new Map<string, string[]>();
    for (const rule of rules) {
      for (const part of compileRule(sourced(rule), around).parts) {
        for (const peer of part.peers ?? []) {
          if (peer.kind !== 'cidr') continue;
          const cidr = formatRange(peer.prefix);
          const world = dualStack ? `world-ipv${peer.prefix.family}` : 'world';
          if (peer.prefix.length > 0) found.set(cidr, [`cidr:${cidr}`, `reserved:${world}`]);
        }
      }
    }
    return [...found.values()];
  }
}

function directionFacts(
  direction: Direction,
  policy: DirectionPolicy,
  entries: readonly MapEntry[],
  version: AgentVersion,
): DirectionFacts {
  if (!policy.enforced) return { enforced: false, allowed: [0], denied: null, l4: [], redirects: [] };
  const everyPort = entries.filter(
    (entry) => entry.direction === direction && entry.protocol === 0 && entry.port === 0,
  );
  const ids = (deny: boolean) => {
    const list = everyPort.filter((entry) => entry.deny === deny).map((entry) => entry.identity);
    return list.length > 0 ? list : null;
  };
  return {
    enforced: !policy.open,
    allowed: ids(false),
    denied: ids(true),
    l4: policy.filters.map((filter) => filterModel(filter, direction, version)),
    redirects: policy.filters
      .filter((filter) => [...filter.peers.values()].some((peer) => peer.redirect))
      .map((filter) => ({
        protocol: protocolName(filter.protocol),
        port: filter.port,
        parser: parserOf(filter),
      })),
  };
}

function parserOf(filter: Filter): string {
  const l7 = [...filter.peers.values()].flatMap((peer) => l7Of(peer, filter));
  return l7.some((rules) => 'dns' in rules) ? 'dns' : 'http';
}

/** A filter as the agent prints it: JSON in a string. */
function filterModel(filter: Filter, direction: Direction, version: AgentVersion): ApiRule {
  const peers = [...filter.peers.values()].map((peer) => ({
    text: selectorText(peer.selection.selector, version),
    peer,
  }));
  peers.sort((a, b) => (a.text < b.text ? -1 : 1));
  const rule = {
    port: filter.port,
    ...(filter.endPort > filter.port && { endPort: filter.endPort }),
    ...(filter.name && { name: filter.name }),
    protocol: filter.protocol === 0 ? 'ANY' : protocolName(filter.protocol),
    'l7-rules': peers.map(({ text, peer }) => ({ [text]: peerModel(peer, filter, version) })),
  };
  const origins = (peer: PeerPolicy) => labelSets(peer.parts.map((part) => part.rule));
  return {
    rule: JSON.stringify(rule).replaceAll('&', '\\u0026'),
    'derived-from-rules': labelSets(peers.flatMap(({ peer }) => peer.parts.map((part) => part.rule))),
    ...(direction === 'ingress' && {
      'rules-by-selector': Object.fromEntries(peers.map(({ text, peer }) => [text, origins(peer)])),
    }),
  };
}

function peerModel(peer: PeerPolicy, filter: Filter, version: AgentVersion): unknown {
  if (peer.deny) return plays(version, '1.20') ? { verdict: 1 } : { IsDeny: true };
  const l7 = l7Of(peer, filter);
  return l7.length > 0 ? Object.assign({}, ...l7) : null;
}

function l7Of(peer: PeerPolicy, filter: Filter): object[] {
  return peer.parts.flatMap((part) =>
    part.ports
      .filter((port) => port.port === filter.port && port.protocol === filter.protocol)
      .flatMap((port) => port.l7 ?? []),
  );
}

/** The labels of each rule, each set once. */
function labelSets(rules: readonly CompiledRule[]): string[][] {
  const sets = new Map<string, string[]>();
  for (const { source } of rules) {
    const labels = ruleLabels(source.rule);
    sets.set(labels.join('\n'), labels);
  }
  return [...sets.values()];
}
