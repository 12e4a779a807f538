import type { Connection } from '../../model/connection.ts';
import type { Flow } from '../../model/hubble.gen.ts';

/** Connections held at once; the one that was quiet the longest is given out when there are more. */
const COLLAPSE_CAPACITY = 20_000;

const WORSE: Readonly<Record<string, number>> = {
  ERROR: 5,
  DROPPED: 4,
  AUDIT: 3,
  REDIRECTED: 2,
  FORWARDED: 1,
};
const TRACE = 4;
const DROP = 1;
const POLICY_VERDICT = 5;

/** Gathers flows to connections in bounded memory. */
export class Collapser {
  readonly #open = new Map<string, Connection>();
  constructor(readonly capacity: number = COLLAPSE_CAPACITY) {}

  /** Adds a flow; returns the connection that had to make room, if one had. */
  add(flow: Flow, timeMs: number): Connection | undefined {
    const key = connectionKey(flow);
    const known = this.#open.get(key);
    if (known) {
      extend(known, flow, timeMs);
      // The map keeps the order of insertion: the quietest connection is its first.
      this.#open.delete(key);
      this.#open.set(key, known);
      return undefined;
    }
    const connection: Connection = {
      key,
      opening: flow,
      firstMs: timeMs,
      lastMs: timeMs,
      forward: 0,
      reply: 0,
      points: [],
      verdict: '',
      reason: undefined,
      names: [],
      policies: [],
      closed: false,
    };
    extend(connection, flow, timeMs);
    this.#open.set(key, connection);
    return this.#open.size > this.capacity ? this.#shift() : undefined;
  }

  #shift(): Connection | undefined {
    const [first] = this.#open.values();
    if (first) this.#open.delete(first.key);
    return first;
  }

  /** Gives out the connections that have been quiet since `beforeMs`, oldest first. */
  *quiet(beforeMs: number): Generator<Connection> {
    for (const connection of this.#open.values()) {
      if (connection.lastMs >= beforeMs) return;
      this.#open.delete(connection.key);
      yield connection;
    }
  }

  /** Gives out everything that is left. */
  *rest(): Generator<Connection> {
    yield* this.#open.values();
    this.#open.clear();
  }
}

/** The same for both directions of a connection: its addresses and ports without their order. */
export function connectionKey(flow: Flow): string {
  const layer = flow.l4?.TCP ?? flow.l4?.UDP ?? flow.l4?.SCTP;
  const protocol = Object.keys(flow.l4 ?? {})[0] ?? flow.Type ?? '';
  const ends = [
    `${flow.IP?.source ?? flow.ethernet?.source ?? ''}:${layer?.source_port ?? 0}`,
    `${flow.IP?.destination ?? flow.ethernet?.destination ?? ''}:${layer?.destination_port ?? 0}`,
  ].sort();
  return `${protocol} ${ends.join(' ')}`;
}

function extend(connection: Connection, flow: Flow, timeMs: number): void {
  connection.firstMs = Math.min(connection.firstMs, timeMs);
  connection.lastMs = Math.max(connection.lastMs, timeMs);
  if (flow.is_reply === true) connection.reply++;
  else connection.forward++;
  const known = connection.opening;
  if (known.is_reply !== false && flow.is_reply === false) connection.opening = flow;
  else if (known.is_reply === true && flow.is_reply !== true) connection.opening = flow;
  note(connection.points, pointOf(flow));
  if ((WORSE[flow.verdict ?? ''] ?? 0) > (WORSE[connection.verdict] ?? 0))
    connection.verdict = String(flow.verdict ?? '');
  if (flow.drop_reason_desc) connection.reason = String(flow.drop_reason_desc);
  const names = flow.is_reply === true ? flow.source_names : flow.destination_names;
  for (const name of names ?? []) note(connection.names, name);
  for (const list of [
    flow.egress_denied_by,
    flow.ingress_denied_by,
    flow.egress_allowed_by,
    flow.ingress_allowed_by,
  ]) {
    for (const { name, namespace } of list ?? [])
      note(connection.policies, namespace ? `${namespace}/${name}` : (name ?? ''));
  }
  const flags = flow.l4?.TCP?.flags;
  connection.closed ||= flags?.FIN === true || flags?.RST === true;
}

function note(list: string[], text: string): void {
  if (text !== '' && list.length < 16 && !list.includes(text)) list.push(text);
}

function pointOf(flow: Flow): string {
  if (flow.l7)
    return `l7-${Object.keys(flow.l7).find((key) => key === 'http' || key === 'dns' || key === 'kafka') ?? 'record'}`;
  switch (flow.event_type?.type) {
    case TRACE:
      return String(flow.trace_observation_point ?? '')
        .toLowerCase()
        .replaceAll('_', '-');
    case DROP:
      return 'drop';
    case POLICY_VERDICT:
      return 'policy-verdict';
    default:
      return '';
  }
}
