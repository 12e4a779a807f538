import type { Flow, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import type { EdgeFate, Traffic, TrafficEdge, TrafficNode } from '../../../model/traffic.ts';
import { AlikeTraffic, exampleJson, type Place } from './alike.ts';
import { Room } from './counts.ts';
import { Edge } from './edge.ts';
import { isAnswer, type NodeName, othersNode, portName, type Transport, transportOf } from './ends.ts';
import { PiecesOfTime, type TimeCounts } from './pieces-of-time.ts';
import { type Seen, seen } from './seen.ts';

/** How much is kept at once. */
export interface Bounds {
  nodes: number;
  edges: number;
  /** Flows that are kept whole, as examples of what was dropped. */
  examples: number;
  /** Letters of what nodes and edges tell apart: ports, paths, policies, pods and the like. */
  letters: number;
  /** Lists of when something went wrong, beside the one of each edge: with all of their pieces these take 40 MB. */
  details: number;
}

const BOUNDS: Bounds = { nodes: 2_000, edges: 8_000, examples: 1_000, letters: 48_000_000, details: 20_000 };
/** Room that fills before the least is folded, so that folding is rare. */
const SLACK = 1.5;
const MOST_SERVICES = 8;
const MOST_PODS = 32;
const MOST_CLUSTERS = 64;

/** A node, as it is counted. */
interface Node extends NodeName {
  services: Set<string>;
  pods: Set<string>;
  /** Nodes that it stands for. */
  folded: number;
}

/**
 * Counts who talks to whom, in bounded memory: what has the fewest flows is folded into a node for all others of its kind. Two
 * counters can be merged, so that captures can be counted apart. Flows may come with a mark, by which they are counted on their
 * edge as well.
 */
export class TrafficCounter<Mark = never> {
  #nodes = new Map<string, Node>();
  #edges = new Map<string, Edge<Mark>>();
  readonly #pieces: PiecesOfTime;
  readonly #times: TimeCounts;
  #flows = 0;
  #endless = 0;
  #lost = 0;
  #examples = 0;
  /** Those that hold places, which are void after a folding: they would keep all edges that were folded. */
  readonly #placed = new Set<AlikeTraffic<Mark>>();
  #firstMs: number | undefined;
  #lastMs: number | undefined;

  readonly #room: Room;

  readonly bounds: Bounds;

  constructor(bounds: Partial<Bounds> = {}) {
    this.bounds = { ...BOUNDS, ...bounds };
    this.#room = new Room(this.bounds.letters);
    this.#pieces = new PiecesOfTime(this.bounds.details);
    this.#times = this.#pieces.list();
  }

  /** Flows counted so far. */
  get flows(): number {
    return this.#flows;
  }

  /** Counts a flow; its time in milliseconds since the epoch is undefined where it has none. */
  add(flow: Flow, timeMs: number | undefined, mark?: Mark): void {
    const what = seen(flow);
    const transport = transportOf(flow);
    const place = this.#placeOf(what, transport, isAnswer(what.answer, transport), () =>
      exampleJson(flow) === undefined ? undefined : flow,
    );
    this.#count(place, what, timeMs, mark);
  }

  /** Counts what a message of a stream tells. */
  addMessage({ flow, lost_events: lost }: GetFlowsResponse): void {
    if (flow) this.add(flow, timeMsOf(flow));
    else if (lost) this.addLost(Number(lost.num_events_lost ?? 0));
  }

  /** What `addAlike` takes for flows that are like this one. */
  alike(first: Flow): AlikeTraffic<Mark> {
    return new AlikeTraffic<Mark>(first, this.#examples < this.bounds.examples);
  }

  /** Counts one of several flows that are alike. */
  addAlike(
    alike: AlikeTraffic<Mark>,
    source = 0,
    destination = 0,
    timeMs: number | undefined,
    mark?: Mark,
  ): void {
    const place = alike.place(source, destination, (transport, answer) => {
      const found = this.#placeOf(alike.seen, transport, answer, () => alike.example(transport, timeMs));
      this.#placed.add(alike);
      return found;
    });
    this.#count(place, alike.seen, timeMs, mark);
  }

  /** Counts events that Hubble lost. */
  addLost(events: number): void {
    this.#lost += events;
  }

  #count(
    place: Place<Mark> | undefined,
    { dropped, exchange }: Seen,
    timeMs: number | undefined,
    mark: Mark | undefined,
  ): void {
    this.#flows++;
    let piece = 0;
    if (timeMs !== undefined) {
      piece = this.#pieces.at(timeMs);
      this.#firstMs = Math.min(this.#firstMs ?? timeMs, timeMs);
      this.#lastMs = Math.max(this.#lastMs ?? timeMs, timeMs);
      this.#times.add(piece, 1, dropped ? 1 : 0);
    }
    if (!place) {
      this.#endless++;
      return;
    }
    place.edge.add(place.facts, timeMs, piece, mark);
    if (exchange) place.edge.addExchange(exchange, timeMs === undefined ? undefined : piece);
  }

  #placeOf(
    flow: Seen,
    transport: Transport,
    answer: boolean,
    example: () => Flow | undefined,
  ): Place<Mark> | undefined {
    const { source, destination, sourceService, destinationService, sourcePod, destinationPod } = flow;
    if (!source || !destination) return undefined;
    const [client, server] = answer ? [destination, source] : [source, destination];
    const service = answer ? sourceService : destinationService;
    this.#foldIfFull();
    const [from, node] = [this.#node(client), this.#node(server)];
    const edge = this.#edge(from.id, node.id);
    if (service !== undefined) this.#addNames(node.services, [service], MOST_SERVICES);
    const [fromPod, toPod] = answer ? [destinationPod, sourcePod] : [sourcePod, destinationPod];
    if (fromPod !== undefined) this.#addNames(from.pods, [fromPod], MOST_PODS);
    if (toPod !== undefined) this.#addNames(node.pods, [toPod], MOST_PODS);
    const port = portName(transport.protocol, answer ? transport.source : transport.destination);
    const kept = () => {
      const whole = this.#examples < this.bounds.examples ? example() : undefined;
      if (whole) this.#examples++;
      return whole;
    };
    return { edge, facts: edge.facts(flow, port, answer, kept) };
  }

  #node(name: NodeName): Node {
    let node = this.#nodes.get(name.id);
    if (!node) {
      node = { ...name, services: new Set(), pods: new Set(), folded: 0 };
      this.#nodes.set(name.id, node);
    }
    return node;
  }

  #addNames(known: Set<string>, names: Iterable<string>, most: number): void {
    for (const name of names)
      if (known.size < most && !known.has(name) && this.#room.take(name)) known.add(name);
  }

  #edge(client: string, server: string): Edge<Mark> {
    const key = `${client} ${server}`;
    let edge = this.#edges.get(key);
    if (!edge) {
      edge = new Edge<Mark>(client, server, this.#pieces, this.#room);
      this.#edges.set(key, edge);
    }
    return edge;
  }

  /** Adds what another counter has counted. */
  merge(other: TrafficCounter<Mark>): void {
    this.#pieces.widenTo(other.#pieces.widthMs);
    for (const timeMs of [other.#firstMs, other.#lastMs]) if (timeMs !== undefined) this.#pieces.at(timeMs);
    const shift = Math.round(Math.log2(this.#pieces.widthMs / other.#pieces.widthMs));
    this.#flows += other.#flows;
    this.#endless += other.#endless;
    this.#lost += other.#lost;
    this.#firstMs = least(this.#firstMs, other.#firstMs);
    this.#lastMs = most(this.#lastMs, other.#lastMs);
    this.#times.merge(other.#times, shift);
    this.#take(other, shift);
    this.#foldIfFull();
  }

  /** Adds the nodes and edges of another counter, whose pieces of time are `shift` doublings shorter. */
  #take(other: TrafficCounter<Mark>, shift = 0): void {
    for (const { services, pods, folded, ...name } of other.#nodes.values()) {
      const node = this.#node(name);
      node.folded += folded;
      this.#addNames(node.services, services, MOST_SERVICES);
      this.#addNames(node.pods, pods, MOST_PODS);
    }
    for (const edge of other.#edges.values()) this.#edge(edge.client, edge.server).merge(edge, shift);
    this.#countExamples();
  }

  #countExamples(): void {
    this.#examples = 0;
    for (const edge of this.#edges.values()) this.#examples += edge.examples;
  }

  #foldIfFull(): void {
    const { nodes, edges } = this.bounds;
    if (this.#nodes.size > nodes * SLACK || this.#edges.size > edges * SLACK) this.#fold(this.bounds);
  }

  /**
   * Folds what has the fewest flows. Nodes become the others of their kind. Of an edge that there is no room for, the end with
   * fewer flows gives way, so that the other one keeps all of its flows.
   */
  #fold(bounds: Pick<Bounds, 'nodes' | 'edges'>): void {
    for (const alike of this.#placed) alike.forgetPlaces();
    this.#placed.clear();
    const weights = new Map<string, number>();
    for (const edge of this.#edges.values())
      for (const id of [edge.client, edge.server]) weights.set(id, (weights.get(id) ?? 0) + weightOf(edge));
    const weight = (id: string) => weights.get(id) ?? 0;
    const nodes = heaviest([...this.#nodes.keys()], weight, bounds.nodes);
    const edges = heaviest([...this.#edges.keys()], (key) => weightOf(this.#edges.get(key)), bounds.edges);
    const isKept = (id: string) => nodes.has(id) || this.#nodes.get(id)?.kind === 'others';
    for (const [key, edge] of [...this.#edges]) {
      const { client, server } = edge;
      const lighter = edges.has(key) ? undefined : weight(client) < weight(server) ? client : server;
      const [from, to] = [client, server].map((id) =>
        isKept(id) && id !== lighter ? id : this.#others(id).id,
      );
      if (from === undefined || to === undefined || (from === client && to === server)) continue;
      this.#edges.delete(key);
      edge.giveBack();
      this.#edge(from, to).merge(edge);
    }
    for (const id of [...this.#nodes.keys()]) {
      if (isKept(id)) continue;
      this.#others(id).folded++;
      this.#forgetNode(id);
    }
    const ends = new Set([...this.#edges.values()].flatMap(({ client, server }) => [client, server]));
    for (const id of this.#nodes.keys()) if (!ends.has(id)) this.#forgetNode(id);
    this.#countExamples();
  }

  #forgetNode(id: string): void {
    const node = this.#nodes.get(id);
    if (node) for (const names of [node.services, node.pods]) this.#room.giveBack(names);
    this.#nodes.delete(id);
  }

  /** The node for the others of a node's kind, with its services. */
  #others(id: string): Node {
    const node = this.#nodes.get(id);
    if (!node) throw new Error('an edge has an end that is not there');
    const others = this.#node(othersNode(node.kind));
    this.#addNames(others.services, node.services, MOST_SERVICES);
    this.#addNames(others.pods, node.pods, MOST_PODS);
    return others;
  }

  /**
   * What was counted, cut to so many nodes and edges. The counter goes on after it. `fateOf` says what the marks of the flows of
   * an edge mean.
   */
  snapshot(
    bounds: Pick<Bounds, 'nodes' | 'edges'> = this.bounds,
    fateOf?: (marks: ReadonlyMap<Mark, number>) => EdgeFate,
  ): Traffic {
    if (this.#nodes.size > bounds.nodes || this.#edges.size > bounds.edges) {
      const copy = new TrafficCounter<Mark>({ ...this.bounds, ...bounds });
      copy.#pieces.widenTo(this.#pieces.widthMs);
      copy.#take(this);
      copy.#fold(bounds);
      return { ...this.#summary(), nodes: copy.#nodeList(), edges: copy.#edgeList(fateOf) };
    }
    return { ...this.#summary(), nodes: this.#nodeList(), edges: this.#edgeList(fateOf) };
  }

  #summary(): Omit<Traffic, 'nodes' | 'edges'> {
    return {
      timeline: this.#pieces.timeline(this.#times),
      clusters: [...this.#clusters()].sort().slice(0, MOST_CLUSTERS),
      flows: this.#flows,
      endless: this.#endless,
      lost: this.#lost,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
    };
  }

  #nodeList(): TrafficNode[] {
    const clusters = this.#clusters();
    return [...this.#nodes.values()]
      .map(({ services, pods, cluster, ...node }) => ({
        ...node,
        cluster: clusters.size > 1 ? cluster : undefined,
        services: [...services].sort(),
        pods: [...pods].sort(),
      }))
      .sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  #clusters(): ReadonlySet<string> {
    return new Set([...this.#nodes.values()].flatMap(({ cluster }) => cluster ?? []));
  }

  #edgeList(fateOf: ((marks: ReadonlyMap<Mark, number>) => EdgeFate) | undefined): TrafficEdge[] {
    return [...this.#edges.values()]
      .map((edge) => ({ ...edge.summary(), ...(fateOf && { fate: fateOf(edge.marks) }) }))
      .sort((a, b) => b.flows - a.flows || (a.client + a.server < b.client + b.server ? -1 : 1));
  }
}

/** When a flow was seen, in milliseconds since the epoch; undefined where it has no time. */
export function timeMsOf({ time }: Flow): number | undefined {
  return time === undefined ? undefined : Date.parse(time) || undefined;
}

function weightOf(edge: Edge<unknown> | undefined): number {
  return edge ? edge.flows + edge.dropped : 0;
}

function heaviest(keys: string[], weight: (key: string) => number, most: number): ReadonlySet<string> {
  if (keys.length <= most) return new Set(keys);
  const sorted = keys
    .map((key) => ({ key, weight: weight(key) }))
    .sort((a, b) => b.weight - a.weight || (a.key < b.key ? -1 : 1));
  return new Set(sorted.slice(0, most).map(({ key }) => key));
}

const least = (a: number | undefined, b: number | undefined) =>
  a === undefined ? b : b === undefined ? a : Math.min(a, b);
const most = (a: number | undefined, b: number | undefined) =>
  a === undefined ? b : b === undefined ? a : Math.max(a, b);
