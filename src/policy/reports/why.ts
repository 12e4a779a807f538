import type { Policy } from '../../model/hubble.gen.ts';
import { formatLabel } from '../../model/label.ts';
import { type Connection, connectionOf, type FlowRecord } from '../evaluate/decide/connections.ts';
import type { Answer, ConnectionDecision } from '../evaluate/decide/decide.ts';
import { PolicyEngine } from '../evaluate/decide/engine.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import { decideWanted, type FullDecision } from '../evaluate/decide/services.ts';
import type { Direction } from '../evaluate/maps/compile-rule.ts';
import type { Rule, SourcedRule } from '../rule.ts';
import { type Explanation, explain } from './explain.ts';
import { portText } from './replay.ts';

/** What the agent reports about a direction of a flow. */
export interface Attribution {
  direction: Direction;
  answer: 'allowed' | 'denied';
  policies: string[];
}

/** The fewest rules for which the evaluator and the agent disagree. */
export interface Reproducer {
  rules: Rule[];
  from: string;
  to: string;
  port: string;
}

/** Why a flow was allowed or denied. */
export interface Why {
  flow: {
    uuid?: string;
    time?: string;
    from: string;
    to: string;
    port: string;
    verdict: string;
    dropReason?: string;
    direction?: Direction;
  };
  egress: Explanation;
  ingress: Explanation;
  agent: Attribution[];
  /** Undefined when the flow does not show what policy decided, or the rules do not decide it. */
  agrees: boolean | undefined;
  verdict: Answer;
  reproducer?: Reproducer;
}

/** Explains one flow, or returns the reason why it cannot. */
export function why(flow: FlowRecord, engine: PolicyEngine, peers: Peers): Why | string {
  const connection = connectionOf(flow, peers);
  if (typeof connection === 'string') return connection;
  const decision = decide(engine, connection);
  const direction = directionOf(flow);
  const observed = observedAnswer(connection);
  const agrees = observed && agreement(decision, observed, direction);
  return {
    flow: {
      ...(flow.uuid && { uuid: flow.uuid }),
      ...(flow.time && { time: flow.time }),
      from: connection.sourceName,
      to: connection.destinationName,
      port: portText(connection.traffic.protocol, connection.traffic.port),
      verdict: String(flow.verdict ?? 'unknown'),
      ...(flow.drop_reason_desc && { dropReason: String(flow.drop_reason_desc) }),
      ...(direction && { direction }),
    },
    egress: explain('egress', decision.egress, connection.sourceName),
    ingress: explain('ingress', decision.ingress, connection.destinationName),
    agent: attributions(flow),
    agrees,
    verdict: decision.answer,
    ...(agrees === false &&
      observed && { reproducer: reproducerOf(engine, connection, observed, direction) }),
  };
}

function decide(engine: PolicyEngine, { source, destination, traffic, balanced }: Connection): FullDecision {
  return decideWanted(engine, { source, destination, traffic, balanced });
}

function directionOf({ traffic_direction }: FlowRecord): Direction | undefined {
  return traffic_direction === 'INGRESS' ? 'ingress' : traffic_direction === 'EGRESS' ? 'egress' : undefined;
}

function observedAnswer({ seen }: Connection): 'allowed' | 'denied' | undefined {
  return seen === 'allowed' || seen === 'denied' ? seen : undefined;
}

/** A drop may have happened at either end. An allowed flow only shows the verdict of the end that saw it. */
function agreement(
  decision: ConnectionDecision,
  observed: 'allowed' | 'denied',
  direction: Direction | undefined,
): boolean | undefined {
  const answers: Answer[] =
    observed === 'denied' || !direction ? [decision.answer] : [decision[direction].answer];
  const [answer] = answers;
  return answer === 'unknown' ? undefined : answer === observed;
}

function attributions(flow: FlowRecord): Attribution[] {
  const of = (direction: Direction, answer: 'allowed' | 'denied', list: Policy[] | undefined) =>
    list?.length ? [{ direction, answer, policies: list.map(policyName) }] : [];
  return [
    ...of('egress', 'denied', flow.egress_denied_by),
    ...of('ingress', 'denied', flow.ingress_denied_by),
    ...of('egress', 'allowed', flow.egress_allowed_by),
    ...of('ingress', 'allowed', flow.ingress_allowed_by),
  ];
}

function policyName({ kind, namespace, name, labels }: Policy): string {
  const who = [namespace, name].filter(Boolean).join('/');
  return who ? `${kind ? `${kind} ` : ''}${who}` : (labels ?? []).join(', ') || 'a policy without a name';
}

/** Removes every rule without which the evaluator still disagrees with the agent. */
function reproducerOf(
  engine: PolicyEngine,
  connection: Connection,
  observed: 'allowed' | 'denied',
  direction: Direction | undefined,
): Reproducer {
  const concerned = [connection.source, connection.destination].flatMap((end) => engine.rulesFor(end));
  let rules: SourcedRule[] = [...new Set(concerned.map(({ source }) => source))];
  const differs = (some: readonly SourcedRule[]) => {
    const small = new PolicyEngine(engine.identities.all.values(), engine.endpoints, {
      ...engine.settings,
      ...(engine.clusterName && { clusterName: engine.clusterName }),
    }).addAll(some);
    return agreement(decide(small, connection), observed, direction) === false;
  };
  for (const rule of [...rules]) {
    const without = rules.filter((each) => each !== rule);
    if (differs(without)) rules = without;
  }
  const { source, destination, traffic } = connection;
  return {
    rules: rules.map(({ rule }) => rule),
    from: source.labels.map(formatLabel).join(','),
    to: destination.labels.map(formatLabel).join(','),
    port: portText(traffic.protocol, traffic.port),
  };
}
