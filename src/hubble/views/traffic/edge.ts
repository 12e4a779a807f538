import type { Flow } from '../../../model/hubble.gen.ts';
import type { Drop, TimedCount, TrafficEdge } from '../../../model/traffic.ts';
import { Counts, REST, type Room, type Tally } from './counts.ts';
import { Histogram } from './histogram.ts';
import type { PiecesOfTime, TimeCounts } from './pieces-of-time.ts';
import type { Exchange, Seen } from './seen.ts';

/** Names of each kind that one edge tells apart. */
const MOST_PORTS = 32;
const MOST_POLICIES = 16;
const MOST_DROPS = 16;
const MOST_PATHS = 32;
/** What all drops are counted as that there is no room for. */
const OTHER_DROPS: DropKind = { reason: REST, port: REST, direction: undefined };

/** What of a flow its edge counts. */
export interface FlowFacts {
  answer: boolean;
  dropped: boolean;
  /** What is raised by one for each flow like this one. */
  tallies: readonly Tally[];
  drop: DropRow | undefined;
}

type DropRow = { -readonly [Name in keyof Omit<Drop, 'times'>]: Drop[Name] } & {
  /** When they were seen; undefined where there is no room to keep it. */
  times: TimeCounts | undefined;
};
type DropKind = Pick<Drop, 'reason' | 'port' | 'direction'>;

/** Traffic between two nodes, as it is counted. A mark is what whoever counts tells flows apart by. */
export class Edge<Mark = never> {
  flows = 0;
  dropped = 0;
  replies = 0;
  firstMs = Number.POSITIVE_INFINITY;
  lastMs = Number.NEGATIVE_INFINITY;
  /** When its flows were seen. */
  readonly times: TimeCounts;
  readonly #verdicts: Counts;
  readonly #ports: Counts;
  readonly #policies: Counts;
  readonly #drops: DropRow[] = [];
  #http: HttpCounts | undefined;
  #dns: DnsCounts | undefined;
  #marks: Map<Mark, number> | undefined;

  constructor(
    readonly client: string,
    readonly server: string,
    readonly pieces: PiecesOfTime,
    readonly room: Room,
  ) {
    this.times = pieces.list();
    this.#verdicts = new Counts(MOST_PORTS, room);
    this.#ports = new Counts(MOST_PORTS, room);
    this.#policies = new Counts(MOST_POLICIES, room);
  }

  /** What a flow to a port is counted with. `example` gives the flow, if there is room for it. */
  facts(flow: Seen, port: string, answer: boolean, example: () => Flow | undefined): FlowFacts {
    const { verdict, dropped, reason, direction, policies } = flow;
    const drop = dropped ? this.#dropRow({ reason, port, direction }, example) : undefined;
    for (const name of policies)
      if (drop && !drop.policies.includes(name) && drop.policies.length < MOST_POLICIES)
        drop.policies = [...drop.policies, name];
    return {
      answer,
      dropped,
      drop,
      tallies: [
        this.#verdicts.of(verdict),
        this.#ports.of(port),
        ...policies.map((name) => this.#policies.of(name)),
      ],
    };
  }

  /** The row for drops like this one; the last is for all that there is no room for. */
  #dropRow(like: DropKind, example: () => object | undefined): DropRow {
    const find = ({ reason, port, direction }: DropKind) =>
      this.#drops.find((row) => row.reason === reason && row.port === port && row.direction === direction);
    const same = find(like);
    const hasRoom =
      same !== undefined ||
      (this.#drops.length < MOST_DROPS && (like.reason === REST || this.room.take(like.reason)));
    const known = same ?? (hasRoom ? undefined : find(OTHER_DROPS));
    if (known) {
      // The first one may have been too long.
      known.example ??= example();
      return known;
    }
    const { reason, port, direction } = hasRoom ? like : OTHER_DROPS;
    const row: DropRow = {
      ...{ reason, port, direction, flows: 0, policies: [], example: example() },
      times: this.pieces.detail(),
      firstMs: Number.POSITIVE_INFINITY,
      lastMs: Number.NEGATIVE_INFINITY,
    };
    this.#drops.push(row);
    return row;
  }

  /** Counts a flow; the time is undefined where the flow has none. */
  add(
    { answer, dropped, tallies, drop }: FlowFacts,
    timeMs: number | undefined,
    piece: number,
    mark: Mark | undefined,
  ): void {
    this.flows++;
    if (mark !== undefined) this.#mark(mark, 1);
    if (answer) this.replies++;
    if (dropped) this.dropped++;
    for (const tally of tallies) {
      tally.flows++;
      if (dropped) tally.bad++;
    }
    if (drop) drop.flows++;
    if (timeMs === undefined) return;
    this.firstMs = Math.min(this.firstMs, timeMs);
    this.lastMs = Math.max(this.lastMs, timeMs);
    if (drop) {
      drop.firstMs = Math.min(drop.firstMs, timeMs);
      drop.lastMs = Math.max(drop.lastMs, timeMs);
      drop.times?.add(piece, 1, 0);
    }
    this.times.add(piece, 1, dropped ? 1 : 0);
  }

  /** How many flows have each mark. */
  get marks(): ReadonlyMap<Mark, number> {
    return this.#marks ?? new Map();
  }

  #mark(mark: Mark, flows: number): void {
    this.#marks ??= new Map();
    this.#marks.set(mark, (this.#marks.get(mark) ?? 0) + flows);
  }

  /** Counts what a proxy saw; the piece of time is undefined where the flow has no time. */
  addExchange({ type, latencyNs, http, dns }: Exchange, piece: number | undefined): void {
    if (http) {
      this.#http ??= new HttpCounts(this.room, this.pieces);
      this.#http.count(type, latencyNs);
      this.#http.add(type, http, piece);
    }
    if (dns) {
      this.#dns ??= new DnsCounts(this.room, this.pieces);
      this.#dns.count(type, latencyNs);
      this.#dns.add(type, dns, piece);
    }
  }

  /** Flows that are kept whole. */
  get examples(): number {
    return this.#drops.filter(({ example }) => example).length;
  }

  /** The names that it took room for. */
  get names(): string[] {
    return [
      ...[this.#verdicts, this.#ports, this.#policies].flatMap(({ names }) => names),
      ...this.#drops.flatMap(({ reason }) => (reason === REST ? [] : reason)),
      ...(this.#http?.names ?? []),
      ...(this.#dns?.names ?? []),
    ];
  }

  /** Gives back what it took beside its own memory: its lists of time, and the room of its names. */
  giveBack(): void {
    const details = [
      ...this.#drops.flatMap(({ times }) => times ?? []),
      ...(this.#http?.times ?? []),
      ...(this.#dns?.times ?? []),
    ];
    for (const list of [this.times, ...details]) this.pieces.forget(list);
    this.room.giveBack(this.names);
  }

  /** Adds the traffic of another edge; `shift` is by how many doublings its pieces of time are shorter. */
  merge(other: Edge<Mark>, shift = 0): void {
    this.flows += other.flows;
    for (const [mark, flows] of other.marks) this.#mark(mark, flows);
    this.dropped += other.dropped;
    this.replies += other.replies;
    this.firstMs = Math.min(this.firstMs, other.firstMs);
    this.lastMs = Math.max(this.lastMs, other.lastMs);
    this.#verdicts.merge(other.#verdicts);
    this.#ports.merge(other.#ports);
    this.#policies.merge(other.#policies);
    for (const drop of other.#drops) {
      const row = this.#dropRow(drop, () => drop.example);
      row.flows += drop.flows;
      row.firstMs = Math.min(row.firstMs, drop.firstMs);
      row.lastMs = Math.max(row.lastMs, drop.lastMs);
      row.policies = [...new Set([...row.policies, ...drop.policies])].slice(0, MOST_POLICIES);
      row.times = this.pieces.joined(row.times, drop.times, shift);
    }
    if (other.#http) {
      this.#http ??= new HttpCounts(this.room, this.pieces);
      this.#http.merge(other.#http, shift);
    }
    if (other.#dns) {
      this.#dns ??= new DnsCounts(this.room, this.pieces);
      this.#dns.merge(other.#dns, shift);
    }
    this.times.merge(other.times, shift);
  }

  /** As it is shown. */
  summary(): TrafficEdge {
    const { client, server, flows, dropped, replies, firstMs, lastMs } = this;
    return {
      ...{ client, server, flows, dropped, replies, firstMs, lastMs },
      verdicts: this.#verdicts.sorted().map(plain),
      ports: this.#ports.sorted().map(({ bad, ...port }) => ({ ...port, dropped: bad })),
      drops: this.#drops
        .toSorted((a, b) => b.flows - a.flows)
        .map(({ times, ...drop }) => ({ ...drop, times: flowsOf(times) })),
      policies: this.#policies.sorted().map(({ bad, ...policy }) => ({ ...policy, denied: bad })),
      http: this.#http?.summary(),
      dns: this.#dns?.summary(),
      times: this.times.entries(),
    };
  }
}

const plain = ({ name, flows }: { name: string; flows: number }) => ({ name, flows });

const timed = ({ name, flows, times }: { name: string; flows: number; times: TimeCounts | undefined }) => ({
  ...{ name, flows },
  times: flowsOf(times),
});

/** Flows in each piece of time that has some. */
function flowsOf(times: TimeCounts | undefined): TimedCount['times'] {
  return times?.entries().map(([piece, flows]) => [piece, flows]);
}

/** Requests and responses of a protocol, and the time between them. */
class Exchanges {
  requests = 0;
  responses = 0;
  readonly latency = new Histogram();

  count(type: Exchange['type'], latencyNs: number): void {
    if (type === 'REQUEST') this.requests++;
    if (type !== 'RESPONSE') return;
    this.responses++;
    if (latencyNs > 0) this.latency.add(latencyNs);
  }

  mergeExchanges(other: Exchanges): void {
    this.requests += other.requests;
    this.responses += other.responses;
    this.latency.merge(other.latency);
  }
}

class HttpCounts extends Exchanges {
  readonly #codes: Counts;
  readonly #paths: Counts;

  constructor(room: Room, pieces: PiecesOfTime) {
    super();
    this.#codes = new Counts(MOST_PATHS, room, pieces);
    this.#paths = new Counts(MOST_PATHS, room);
  }

  get names(): string[] {
    return [...this.#codes.names, ...this.#paths.names];
  }

  get times(): TimeCounts[] {
    return this.#codes.times;
  }

  add(
    type: Exchange['type'],
    { code, request }: NonNullable<Exchange['http']>,
    piece: number | undefined,
  ): void {
    if (type === 'RESPONSE') this.#codes.add(String(code), piece);
    // A response repeats what was asked for.
    else this.#paths.add(request, piece);
  }

  merge(other: HttpCounts, shift: number): void {
    this.mergeExchanges(other);
    this.#codes.merge(other.#codes, shift);
    this.#paths.merge(other.#paths);
  }

  summary() {
    const { requests, responses } = this;
    const latency = this.latency.summary();
    return {
      ...{ requests, responses, latency },
      codes: this.#codes.sorted().map(timed),
      paths: this.#paths.sorted().map(plain),
    };
  }
}

/** Names of the codes of DNS answers (RFC 1035, RFC 2136). */
const RCODES: Readonly<Record<number, string>> = {
  1: 'FORMERR',
  2: 'SERVFAIL',
  3: 'NXDOMAIN',
  4: 'NOTIMP',
  5: 'REFUSED',
};

class DnsCounts extends Exchanges {
  readonly #failures: Counts;

  constructor(room: Room, pieces: PiecesOfTime) {
    super();
    this.#failures = new Counts(MOST_PATHS, room, pieces);
  }

  get names(): string[] {
    return this.#failures.names;
  }

  get times(): TimeCounts[] {
    return this.#failures.times;
  }

  add(
    type: Exchange['type'],
    { rcode, query }: NonNullable<Exchange['dns']>,
    piece: number | undefined,
  ): void {
    if (type === 'RESPONSE' && rcode !== 0)
      this.#failures.add(`${RCODES[rcode] ?? `RCODE ${rcode}`} ${query}`, piece);
  }

  merge(other: DnsCounts, shift: number): void {
    this.mergeExchanges(other);
    this.#failures.merge(other.#failures, shift);
  }

  summary() {
    const { requests, responses } = this;
    return {
      ...{ queries: requests, responses, latency: this.latency.summary() },
      failures: this.#failures.sorted().map(timed),
    };
  }
}
