import { protocolName } from '../../model/protocol.ts';
import { type Connection, workloadOf } from '../evaluate/decide/connections.ts';
import {
  type Answer,
  type ConnectionDecision,
  type Decision,
  decideConnection,
} from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { explain, type RuleReference } from './explain.ts';
import type { FlowTable, Observed } from './flow-table.ts';

export type Change = 'newly-denied' | 'newly-allowed';

/** Flows that the candidate rules treat differently, for the same reason. */
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
  /** Number of flows that the candidate rules allow and deny. */
  allowed: number;
  denied: number;
  /** Flows that could not be decided, by reason. */
  undecided: { reason: string; flows: number }[];
  changes: ChangeGroup[];
}

/**
 * Compares the verdicts of candidate rules for recorded flows with those of `current` rules, or else with the verdicts in
 * the flows.
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

/** Flows of a dropped connection are also seen before the drop, so a single drop means denied. */
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

/** The direction that denies; for an allowed connection the one with the more specific reason. */
function decidingDirection({ egress, ingress }: ConnectionDecision): 'ingress' | 'egress' {
  if (egress.answer === 'denied') return 'egress';
  if (ingress.answer === 'denied') return 'ingress';
  const weight = ({ reason }: Decision) =>
    ['no-endpoint', 'not-enforced', 'default-allow'].indexOf(reason.kind);
  const rank = (decision: Decision) => (weight(decision) < 0 ? 3 : weight(decision));
  return rank(egress) > rank(ingress) ? 'egress' : 'ingress';
}

/** `8080/TCP`, with `?` for an unknown part. */
export function portText(protocol: number | undefined, port: number | undefined): string {
  return `${port ?? '?'}/${protocol === undefined ? '?' : protocolName(protocol)}`;
}
