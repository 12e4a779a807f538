import { protocolName } from '../../model/protocol.ts';
import { type Connection, type Seen, workloadOf } from '../evaluate/decide/connections.ts';
import type { Answer, ConnectionDecision, Decision } from '../evaluate/decide/decide.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { FullDecision } from '../evaluate/decide/services.ts';
import { type Identity, isVague } from '../evaluate/selectors/identities.ts';
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
  /** Flows that do not show what policy did with them, so that there is nothing to compare with. */
  unsaid: number;
  /** How many of the flows that are not decided or not compared may be a change. */
  open: Record<Change, number>;
  changes: ChangeGroup[];
}

/** What became of one connection. */
export interface Outcome {
  answer: Answer;
  /** Why the answer is unknown. */
  why: string | undefined;
  /** What was decided before, by the current rules or as the flows show it. */
  before: Answer;
  /** The change that flows of it are part of. */
  group: ChangeGroup | undefined;
}

/**
 * Compares the verdicts of candidate rules for recorded flows with those of `current` rules, or else with the verdicts in
 * the flows. `tell` is told of each connection.
 */
export function replay(
  table: FlowTable,
  candidate: PolicyEngine,
  current?: PolicyEngine,
  tell: (observed: Observed, outcome: Outcome) => void = () => {},
): ReplayReport {
  const groups = new Map<string, ChangeGroup>();
  const undecided = new Map(table.skipped);
  const open = openIn(table.unread, current !== undefined);
  const report = { allowed: 0, denied: 0, connections: 0, unsaid: 0 };
  for (const observed of table.connections) {
    report.connections++;
    const { connection } = observed;
    const flows = countOf(observed);
    const decision = decideFlow(candidate, connection, table);
    if (decision.answer === 'unknown') {
      const why = unknownReason(decision);
      undecided.set(why, (undecided.get(why) ?? 0) + flows);
      const may = openIn(observed, current !== undefined);
      open['newly-allowed'] += may['newly-allowed'];
      open['newly-denied'] += may['newly-denied'];
      tell(observed, { answer: 'unknown', why, before: 'unknown', group: undefined });
      continue;
    }
    report[decision.answer] += flows;
    const before = current ? decideFlow(current, connection, table).answer : seenBefore(observed);
    const changed = current ? flows : decision.answer === 'denied' ? observed.allowed : observed.denied;
    const change = changeTo(decision.answer);
    if (current) open[change] += before === 'unknown' ? flows : 0;
    else {
      report.unsaid += observed.unsaid + observed.dropped;
      if (before === 'unknown') open[change] += openIn(observed, false)[change];
    }
    const isChange = before !== 'unknown' && before !== decision.answer && changed > 0;
    const group = isChange ? addChange(groups, observed, decision, changed) : undefined;
    tell(observed, { answer: decision.answer, why: undefined, before, group });
  }
  const changes = [...groups.values()].sort((a, b) => a.change.localeCompare(b.change) || b.flows - a.flows);
  return {
    flows: table.total,
    ...report,
    undecided: [...undecided].map(([reason, flows]) => ({ reason, flows })).sort((a, b) => b.flows - a.flows),
    open,
    changes,
  };
}

/** What undecided flows may be: any change where rules are compared, else the reverse of what was seen. */
function openIn(seen: Record<Seen, number>, any: boolean): Record<Change, number> {
  if (any) return { 'newly-denied': countOf(seen), 'newly-allowed': countOf(seen) };
  const { allowed, denied, dropped, unsaid } = seen;
  return { 'newly-denied': allowed + unsaid, 'newly-allowed': denied + dropped + unsaid };
}

function countOf({ allowed, denied, other, dropped, unsaid }: Record<Seen, number>): number {
  return allowed + denied + other + dropped + unsaid;
}

function changeTo(answer: 'allowed' | 'denied'): Change {
  return answer === 'denied' ? 'newly-denied' : 'newly-allowed';
}

/** A drop of the host itself shows that rules for nodes were there: it is open what else allows the traffic. */
function decideFlow(engine: PolicyEngine, connection: Connection, table: FlowTable): FullDecision {
  const decision = table.decide(engine, connection);
  if (decision.answer !== 'allowed' || !connection.droppedAtHost) return decision;
  const { egress, ingress } = decision;
  const byRule = [egress, ingress].some(({ reason }) => reason.kind === 'rule' && reason.part.rule.node);
  if (engine.settings.hostFirewall === true && byRule) return decision;
  const why = 'the agent dropped it at its host, so rules for nodes decide it';
  const unknown: Decision = { answer: 'unknown', reason: { kind: 'unknown', why, rules: [] } };
  return { answer: 'unknown', egress: unknown, ingress: unknown };
}

/**
 * Flows of a dropped connection are also seen before the drop, so a single drop means denied, and one without a reason that
 * it may have been.
 */
function seenBefore({ allowed, denied, dropped }: Observed): Answer {
  if (denied > 0) return 'denied';
  return allowed > 0 && dropped === 0 ? 'allowed' : 'unknown';
}

function unknownReason({ egress, ingress, backends, service }: FullDecision): string {
  for (const { reason } of [egress, ingress]) if (reason.kind === 'unknown') return reason.why;
  return backends ? `the backends of ${service} differ` : 'unknown';
}

function addChange(
  groups: Map<string, ChangeGroup>,
  { connection, example }: Observed,
  decision: ConnectionDecision,
  flows: number,
): ChangeGroup {
  const change = changeTo(decision.answer === 'denied' ? 'denied' : 'allowed');
  const direction = decidingDirection(decision);
  const subject = direction === 'egress' ? connection.source : connection.destination;
  const { text, rules } = explain(
    direction,
    decision[direction],
    endOf(subject, direction === 'egress' ? connection.sourceName : connection.destinationName),
  );
  const { protocol, port } = connection.traffic;
  const group: ChangeGroup = {
    change,
    source: endOf(connection.source, connection.sourceName),
    destination: endOf(connection.destination, connection.destinationName),
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
  return known;
}

/** The workload; the name in the flow where the labels that tell the workload are not known. */
function endOf(identity: Identity, name: string): string {
  return isVague(identity) ? name : workloadOf(identity);
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
