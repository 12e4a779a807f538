import type { Clock } from '../../context.ts';
import { nameExpression } from '../policy/dns-pattern.ts';
import { type EndpointPolicyFacts, LabPolicy, surroundingsOf } from '../policy/policy.ts';
import { fqdnsOf } from '../policy/rules.ts';
import { FIRST_LOCAL_IDENTITY, RESERVED } from '../state/identities.ts';
import type { LabEndpoint, LabIdentity, LabState } from '../state/state.ts';
import { Store } from '../state/store.ts';
import type { AgentVersion } from '../version.ts';
import { buildWorld, sameLabels, type World } from '../world/world.ts';

/** How long endpoints take to follow a change of the policy. */
const REGENERATION_MS = 40;
/** Lines of an endpoint's log that are kept. */
const LOG_LINES = 128;

/** Something that happened, for those who watch (Hubble's agent events, map events). */
export type AgentEvent =
  | { type: 'policy-updated' | 'policy-deleted'; labels: string[]; revision: number; rules: number }
  | { type: 'endpoint-created' | 'endpoint-deleted' | 'endpoint-regenerated'; endpoint: LabEndpoint }
  | { type: 'agent-started'; timeMs: number };

const NOT_ENFORCED = { enforced: false, allowed: [0], denied: null, l4: [], redirects: [] };
const NO_POLICY: EndpointPolicyFacts = { ingress: NOT_ENFORCED, egress: NOT_ENFORCED, entries: [] };

/** Counters of the Hubble server. */
export interface FlowCounts {
  current: number;
  max: number;
  seen: number;
  uptimeMs: number;
}

/** A line of an endpoint's log. */
export interface LogLine {
  code: string;
  message: string;
  state: string;
  timeMs: number;
}

interface Realized {
  revision: number;
  policy: EndpointPolicyFacts;
  /** How often the endpoint was built. */
  builds: number;
}

interface AgentOptions {
  state: LabState;
  /** File that the state is kept in. */
  file?: string;
  scenario: World['scenario'];
  version: AgentVersion;
  clock: Pick<Clock, 'nowMs'>;
  log?: (line: string) => void;
  /** A node reaches its own pods whatever policies say, as agents of Kubernetes have it. */
  allowLocalhost?: boolean | undefined;
}

/** The agent that a lab plays: its state, what follows from it, and what happens when it changes. */
export class Agent {
  readonly store: Store<LabState>;
  readonly world: World;
  readonly version: AgentVersion;
  readonly startedMs: number;
  readonly log: (line: string) => void;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #watchers = new Set<(event: AgentEvent) => void>();
  readonly #stateWatchers = new Set<(state: LabState, before: LabState) => void>();
  readonly #realized = new Map<number, Realized>();
  readonly #logs = new Map<number, LogLine[]>();
  #localIdentities: LabIdentity[] = [];
  /** Counters of the Hubble server, once there is one. */
  flowCounts?: () => FlowCounts;
  /** Dropped flows by reason. */
  dropCounts?: () => ReadonlyMap<string, number>;
  /** Has something enforce what endpoints should, before they are said to do so. */
  enforce?: (wanted: ReadonlyMap<number, EndpointPolicyFacts>) => Promise<void>;
  readonly #allowLocalhost: boolean;
  #policy: LabPolicy;
  #isEnforcing = false;
  #regeneration: NodeJS.Timeout | undefined;
  #clients = new Set<number>();

  constructor(options: AgentOptions) {
    this.#clock = options.clock;
    this.#allowLocalhost = options.allowLocalhost ?? false;
    this.version = options.version;
    this.log = options.log ?? (() => {});
    this.startedMs = this.nowMs();
    this.world = buildWorld(options.scenario, options.state);
    this.store = new Store(options.state, options.file, (state, before) => {
      this.#changed(state, before);
      for (const watcher of this.#stateWatchers) watcher(state, before);
    });
    this.#policy = this.#compile();
    this.#realize('Configuration or devices changed');
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }

  get state(): LabState {
    return this.store.current;
  }

  /** The rules in force. */
  get policy(): LabPolicy {
    return this.#policy;
  }

  /** Every identity: reserved, of the cluster, and those of prefixes that rules name. */
  identities(): LabIdentity[] {
    return [...RESERVED, ...this.state.identities, ...this.#localIdentities];
  }

  /** Identities of prefixes, which only this node knows. */
  localIdentities(): readonly LabIdentity[] {
    return this.#localIdentities;
  }

  endpoint(id: number): LabEndpoint | undefined {
    return this.state.endpoints.find((endpoint) => endpoint.id === id);
  }

  /** What an endpoint enforces by now. */
  realized(id: number): Realized {
    return this.#realized.get(id) ?? { revision: 0, policy: NO_POLICY, builds: 0 };
  }

  /** What an endpoint should enforce. */
  desired(endpoint: LabEndpoint): EndpointPolicyFacts {
    return this.#policy.endpoint(endpoint);
  }

  /** True while endpoints follow a change. */
  get regenerating(): boolean {
    return this.#regeneration !== undefined || this.#isEnforcing;
  }

  /** Has endpoints follow what changed around this agent: addresses, or who enforces. */
  refresh(reason: string): void {
    this.#schedule(reason);
  }

  /** Newest line first. */
  endpointLog(id: number): readonly LogLine[] {
    return this.#logs.get(id) ?? [];
  }

  watch(watcher: (event: AgentEvent) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** Calls `watcher` after each change of the state, when what follows from it is known too. */
  watchState(watcher: (state: LabState, before: LabState) => void): () => void {
    this.#stateWatchers.add(watcher);
    return () => this.#stateWatchers.delete(watcher);
  }

  emit(event: AgentEvent): void {
    for (const watcher of this.#watchers) watcher(event);
  }

  /** Whether a client of GET /cluster/nodes was here before; registers it. */
  knowsClient(id: number): boolean {
    if (this.#clients.has(id)) return true;
    this.#clients.add(id);
    return false;
  }

  /** Ends what is under way and waits for the disk. */
  async close(): Promise<void> {
    clearTimeout(this.#regeneration);
    this.#regeneration = undefined;
    await this.store.settled();
  }

  #changed(state: LabState, before: LabState): void {
    const kept = new Set(state.endpoints.map((endpoint) => endpoint.id));
    for (const endpoint of before.endpoints) {
      if (kept.has(endpoint.id)) continue;
      this.#realized.delete(endpoint.id);
      this.#logs.delete(endpoint.id);
      this.emit({ type: 'endpoint-deleted', endpoint });
    }
    const had = new Set(before.endpoints.map((endpoint) => endpoint.id));
    for (const endpoint of state.endpoints)
      if (!had.has(endpoint.id)) this.emit({ type: 'endpoint-created', endpoint });
    const policyMoved = state.policy !== before.policy;
    const settingsMoved = state.config !== before.config;
    if (
      !policyMoved &&
      !settingsMoved &&
      state.endpoints === before.endpoints &&
      state.identities === before.identities &&
      state.dns === before.dns
    )
      return;
    this.#policy = this.#compile();
    const reason = policyMoved
      ? 'one or more identities created or deleted'
      : settingsMoved
        ? 'Agent configuration changed'
        : 'updated security labels';
    this.#schedule(reason);
  }

  #schedule(reason: string): void {
    this.#regeneration ??= setTimeout(() => {
      this.#regeneration = undefined;
      if (!this.enforce) this.#realize(reason);
      else void this.#enforced(reason);
    }, REGENERATION_MS).unref();
  }

  /** One after the other: what changes meanwhile is followed next. */
  async #enforced(reason: string): Promise<void> {
    if (this.#isEnforcing) return this.#schedule(reason);
    this.#isEnforcing = true;
    try {
      const { revision } = this.state.policy;
      const wanted = this.#wanted();
      await this.enforce?.(wanted);
      this.#realize(reason, revision, wanted);
    } catch (error) {
      const text = error instanceof Error ? error.message : String(error);
      this.log(`endpoints do not follow: ${text.split('\n')[0]}`);
    } finally {
      this.#isEnforcing = false;
    }
  }

  /** What endpoints that are up should enforce. */
  #wanted(): Map<number, EndpointPolicyFacts> {
    const ready = this.state.endpoints.filter(({ state }) => state === 'ready');
    return new Map(ready.map((endpoint) => [endpoint.id, this.desired(endpoint)]));
  }

  #compile(): LabPolicy {
    const { policy, config, services, endpoints } = this.state;
    const around = surroundingsOf(this.world.cluster.name, services);
    const known = this.#localIdentities;
    let next = Math.max(FIRST_LOCAL_IDENTITY - 1, ...known.map((identity) => identity.id)) + 1;
    const dualStack = this.world.self.ipv6 !== undefined;
    const wanted = [
      ...LabPolicy.prefixLabels(policy.rules, around, dualStack),
      ...this.#namedAddresses(dualStack),
    ];
    this.#localIdentities = wanted.map(
      (labels) => known.find((identity) => sameLabels(identity.labels, labels)) ?? { id: next++, labels },
    );
    return new LabPolicy({
      rules: policy.rules,
      identities: this.identities(),
      endpoints,
      enforcement: config.policyEnforcement,
      around,
      version: this.version,
      allowLocalhost: this.#allowLocalhost,
    });
  }

  /** Labels of addresses whose names FQDN selectors select. */
  #namedAddresses(dualStack: boolean): string[][] {
    const selectors = fqdnsOf(this.state.policy.rules).map((selector) => ({
      text: selector.matchName || selector.matchPattern,
      expression: nameExpression(selector.matchName || selector.matchPattern),
    }));
    const found = new Map<string, Set<string>>();
    for (const { fqdn = '', ips = [] } of this.state.dns) {
      for (const { text, expression } of selectors) {
        if (!expression.test(fqdn)) continue;
        for (const ip of ips) found.set(ip, (found.get(ip) ?? new Set()).add(`fqdn:${text}`));
      }
    }
    return [...found].map(([ip, names]) => {
      const v6 = ip.includes(':');
      const world = dualStack ? (v6 ? 'world-ipv6' : 'world-ipv4') : 'world';
      return [...names, `cidr:${ip}/${v6 ? 128 : 32}`, `reserved:${world}`];
    });
  }

  #realize(reason: string, revision = this.state.policy.revision, wanted = this.#wanted()): void {
    const timeMs = this.nowMs();
    for (const endpoint of this.state.endpoints) {
      const policy = wanted.get(endpoint.id);
      if (!policy) continue;
      const before = this.#realized.get(endpoint.id);
      this.#realized.set(endpoint.id, { revision, policy, builds: (before?.builds ?? 0) + 1 });
      this.note(endpoint.id, {
        code: 'OK',
        message: `Successfully regenerated endpoint program (Reason: ${reason})`,
        state: 'ready',
        timeMs,
      });
      this.emit({ type: 'endpoint-regenerated', endpoint });
    }
  }

  /** Adds a line to an endpoint's log. */
  note(id: number, line: LogLine): void {
    this.#logs.set(id, [line, ...(this.#logs.get(id) ?? [])].slice(0, LOG_LINES));
  }
}

/** The labels that make up an endpoint's identity. */
export function identityLabels(
  endpoint: Pick<LabEndpoint, 'labels' | 'userLabels' | 'disabledLabels'>,
): string[] {
  return [
    ...endpoint.labels.filter((label) => !endpoint.disabledLabels.includes(label)),
    ...endpoint.userLabels,
  ].sort();
}
