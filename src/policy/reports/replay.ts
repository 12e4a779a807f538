import { formatRange, parseRange } from '../../lib/address.ts';
import { protocolName } from '../../model/protocol.ts';
import {
  type Connection,
  connectionOf,
  type FlowRecord,
  workloadOf,
} from '../evaluate/decide/connections.ts';
import {
  type Answer,
  type ConnectionDecision,
  type Decision,
  decideConnection,
} from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';
import { explain, type RuleReference } from './explain.ts';

/** Flows that policy cannot tell apart, counted. */
export interface Observed {
  connection: Connection;
  allowed: number;
  denied: number;
  /** Neither: dropped for another reason. */
  other: number;
  example: string | undefined;
}

/** Gathers flows by connection. Its size follows the number of distinct connections, not of flows. */
export class FlowTable {
  total = 0;
  /** Flows that policy cannot be asked about, by reason. */
  readonly skipped = new Map<string, number>();
  readonly #connections = new Map<string, Observed>();
  /** DNS names by address. */
  readonly #names = new Map<string, readonly string[]>();

  constructor(readonly peers: Peers) {}

  add(flow: FlowRecord): void {
    this.total++;
    this.#learn(flow);
    const connection = connectionOf(flow, this.peers);
    if (typeof connection === 'string') {
      this.skipped.set(connection, (this.skipped.get(connection) ?? 0) + 1);
      return;
    }
    const known = this.#connections.get(connection.key);
    if (known) known[connection.seen]++;
    else {
      const observed: Observed = { connection, allowed: 0, denied: 0, other: 0, example: flow.uuid };
      observed[connection.seen]++;
      this.#connections.set(connection.key, observed);
    }
  }

  /** The peer with the DNS name that its address was seen with, should the flow itself not say. */
  named(peer: Identity): Identity {
    const [block] = peer.prefixes;
    if (peer.names.length > 0 || peer.id >= 0 || !block) return peer;
    const address = formatRange(block);
    const names = this.#names.get(address);
    return names ? this.peers.withNames(peer, names) : peer;
  }

  #learn({ IP, l7, source_names, destination_names }: FlowRecord): void {
    const teach = (ip: string | undefined, names: readonly string[] | undefined) => {
      const block = ip && names?.length ? parseRange(ip) : undefined;
      if (block && names) this.#names.set(formatRange(block), names);
    };
    teach(IP?.source, source_names);
    teach(IP?.destination, destination_names);
    if (l7?.type === 'RESPONSE' && l7.dns?.query)
      for (const ip of l7.dns.ips ?? []) teach(ip, [l7.dns.query]);
  }

  /** The cluster's name by the labels of pods that were seen. */
  clusterName(): string | undefined {
    for (const { connection } of this.#connections.values())
      for (const { byKey } of [connection.source, connection.destination]) {
        const name = byKey.get('io.cilium.k8s.policy.cluster')?.value;
        if (name) return name;
      }
    return undefined;
  }

  get connections(): Iterable<Observed> {
    return this.#connections.values();
  }
}

export type Change = 'newly-denied' | 'newly-allowed';

/** Flows that a candidate treats differently, for the same reason. */
export interface ChangeGroup {
  change: Change;
  source: string;
  destination: string;
  port: string;
  direction: 'ingress' | 'egress';
  flows: number;
  reason: string;
  rules: RuleReference[];
  example?: string;
}

export interface ReplayReport {
  flows: number;
  connections: number;
  /** Flows by what the candidate says about them. */
  allowed: number;
  denied: number;
  /** Flows that could not be decided, by reason. */
  undecided: { reason: string; flows: number }[];
  changes: ChangeGroup[];
}

/**
 * Compares what a candidate set of rules does with flows that were seen. Without `current` the comparison is with
 * what happened to them.
 */
export function replay(table: FlowTable, candidate: PolicyEngine, current?: PolicyEngine): ReplayReport {
  const groups = new Map<string, ChangeGroup>();
  const undecided = new Map(table.skipped);
  const report = { allowed: 0, denied: 0, connections: 0 };
  for (const observed of table.connections) {
    report.connections++;
    const { connection } = observed;
    const flows = observed.allowed + observed.denied + observed.other;
    const decision = decideFlow(candidate, connection, table);
    if (decision.answer === 'unknown') {
      const why = unknownReason(decision);
      undecided.set(why, (undecided.get(why) ?? 0) + flows);
      continue;
    }
    report[decision.answer] += flows;
    const before = current ? decideFlow(current, connection, table).answer : seenBefore(observed);
    const changed = current ? flows : decision.answer === 'denied' ? observed.allowed : observed.denied;
    if (before === 'unknown' || before === decision.answer || changed === 0) continue;
    addChange(groups, observed, decision, changed);
  }
  const changes = [...groups.values()].sort((a, b) => a.change.localeCompare(b.change) || b.flows - a.flows);
  return {
    flows: table.total,
    ...report,
    undecided: [...undecided].map(([reason, flows]) => ({ reason, flows })).sort((a, b) => b.flows - a.flows),
    changes,
  };
}

function decideFlow(
  engine: PolicyEngine,
  { source, destination, traffic }: Connection,
  table: FlowTable,
): ConnectionDecision {
  return decideConnection(engine, table.named(source), table.named(destination), traffic);
}

/** Packets of a connection that policy dropped are seen on the way there too, so one drop speaks for all. */
function seenBefore({ allowed, denied }: Observed): Answer {
  if (denied > 0) return 'denied';
  return allowed > 0 ? 'allowed' : 'unknown';
}

function unknownReason({ egress, ingress }: ConnectionDecision): string {
  for (const { reason } of [egress, ingress]) if (reason.kind === 'unknown') return reason.why;
  return 'unknown';
}

function addChange(
  groups: Map<string, ChangeGroup>,
  { connection, example }: Observed,
  decision: ConnectionDecision,
  flows: number,
): void {
  const change: Change = decision.answer === 'denied' ? 'newly-denied' : 'newly-allowed';
  const direction = decidingDirection(decision);
  const subject = direction === 'egress' ? connection.source : connection.destination;
  const { text, rules } = explain(direction, decision[direction], workloadOf(subject));
  const { protocol, port } = connection.traffic;
  const group: ChangeGroup = {
    change,
    source: workloadOf(connection.source),
    destination: workloadOf(connection.destination),
    port: portText(protocol, port),
    direction,
    flows: 0,
    reason: text,
    rules,
    ...(example && { example }),
  };
  const key = [change, group.source, group.destination, group.port, direction, text].join('\n');
  const known = groups.get(key) ?? group;
  known.flows += flows;
  groups.set(key, known);
}

/** The direction that denies; of an allowed connection the one that policy had the most to say about. */
function decidingDirection({ egress, ingress }: ConnectionDecision): 'ingress' | 'egress' {
  if (egress.answer === 'denied') return 'egress';
  if (ingress.answer === 'denied') return 'ingress';
  const weight = ({ reason }: Decision) =>
    ['no-endpoint', 'not-enforced', 'default-allow'].indexOf(reason.kind);
  const rank = (decision: Decision) => (weight(decision) < 0 ? 3 : weight(decision));
  return rank(egress) > rank(ingress) ? 'egress' : 'ingress';
}

/** `8080/TCP`; `?` for what a flow does not tell. */
export function portText(protocol: number | undefined, port: number | undefined): string {
  return `${port ?? '?'}/${protocol === undefined ? '?' : protocolName(protocol)}`;
}
