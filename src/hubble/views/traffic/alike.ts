import { formatJson, parseJson } from '../../../lib/exact-json.ts';
import { POLICY_FIELDS } from '../../../model/flow-row.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import type { Edge, FlowFacts } from './edge.ts';
import { isAnswer, type Transport, transportOf } from './ends.ts';
import { type Seen, seen } from './seen.ts';

/**
 * What is read of a flow here, but for its ports of TCP, UDP and SCTP and its time. Without flags: of TCP they say nothing that
 * a map shows.
 */
export const TRAFFIC_FIELDS: readonly string[] = [
  ...['verdict', 'drop_reason_desc', 'Type', 'is_reply', 'traffic_direction', 'event_type.type'],
  ...['IP.source', 'IP.destination', 'ethernet.source', 'ethernet.destination'],
  ...['TCP', 'UDP', 'SCTP'].flatMap((name) => [`l4.${name}.source_port`, `l4.${name}.destination_port`]),
  ...['l4.ICMPv4.type', 'l4.ICMPv6.type', 'l4.VRRP', 'l4.IGMP'],
  ...['l7.type', 'l7.latency_ns', 'l7.dns.query', 'l7.dns.rcode'],
  ...['l7.http.code', 'l7.http.method', 'l7.http.url', 'l7.kafka'],
  ...POLICY_FIELDS,
  ...['source', 'destination'].flatMap((end) => [
    ...['identity', 'cluster_name', 'namespace', 'pod_name', 'workloads'].map((name) => `${end}.${name}`),
    ...[`${end}_names`, `${end}_service.name`, `${end}_service.namespace`],
  ]),
];

/** Servers' ports of one group whose place is remembered. */
const MOST_PLACES = 64;
/** Letters of the JSON that an example has at most: a flow is as long as its URL, its headers or its labels make it. */
const LONGEST_EXAMPLE = 16_384;

/** A flow as JSON, where it is short enough to be kept whole. */
export function exampleJson(flow: Flow): string | undefined {
  const json = formatJson(flow) ?? '';
  return json.length <= LONGEST_EXAMPLE ? json : undefined;
}

/** Where flows are counted that differ in time alone. */
export interface Place<Mark> {
  edge: Edge<Mark>;
  facts: FlowFacts;
}

/**
 * Flows that differ in nothing that is read of them here but their ports and their time. There are thousands at once, so of the
 * first one only that is kept which is counted, and the whole as JSON where it may be an example.
 */
export class AlikeTraffic<Mark = never> {
  /** What is counted of each of them. */
  readonly seen: Seen;
  readonly #transport: Transport;
  readonly #example: string | undefined;
  /** By the port of the server and who it is, of the edges that are there since the last folding. */
  readonly #places = new Map<number, Place<Mark> | undefined>();

  /** `hasRoom` says that there is room for examples. */
  constructor(first: Flow, hasRoom: boolean) {
    this.seen = seen(first);
    this.#transport = transportOf(first);
    this.#example = hasRoom && this.seen.dropped ? exampleJson(first) : undefined;
  }

  /** Places that are remembered. */
  get placed(): number {
    return this.#places.size;
  }

  /** The place of one with these ports, which `find` finds if it is not remembered. */
  place(
    source: number,
    destination: number,
    find: (transport: Transport, answer: boolean) => Place<Mark> | undefined,
  ): Place<Mark> | undefined {
    const transport = { ...this.#transport, source, destination };
    const answer = isAnswer(this.seen.answer, transport);
    const key = 2 * (answer ? source : destination) + Number(answer);
    const known = this.#places.get(key);
    if (known !== undefined || this.#places.has(key)) return known;
    const place = find(transport, answer);
    if (this.#places.size < MOST_PLACES) this.#places.set(key, place);
    return place;
  }

  /** Forgets its places, which hold edges. */
  forgetPlaces(): void {
    this.#places.clear();
  }

  /** One of them with its own ports and time; its uuid is known of the first alone. */
  example({ protocol, source, destination }: Transport, timeMs: number | undefined): Flow | undefined {
    if (this.#example === undefined) return undefined;
    const first = parseJson(this.#example) as Flow;
    const { source: from, destination: to } = this.#transport;
    if (source === from && destination === to) return first;
    const { uuid: _, time: __, l4, ...rest } = first;
    const layer = { ...l4?.[protocol as 'TCP'], source_port: source, destination_port: destination };
    return {
      ...rest,
      l4: { ...l4, [protocol]: layer },
      ...(timeMs !== undefined && { time: new Date(timeMs).toISOString() }),
    } as Flow;
  }
}
