import { formatRange, parseRange } from '../../lib/address.ts';
import {
  type Connection,
  connectionOf,
  type FlowPorts,
  type FlowRecord,
  ICMP_ERROR,
  isReply,
  portsOf,
  type Seen,
  seenOf,
} from '../evaluate/decide/connections.ts';
import type { PolicyEngine } from '../evaluate/decide/engine.ts';
import { FlowFacts } from '../evaluate/decide/flow-facts.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import { decideWanted, type FullDecision } from '../evaluate/decide/services.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';

/** Number of flows that policy treats alike, by what happened to them. */
export interface Observed extends Record<Seen, number> {
  connection: Connection;
  example: string | undefined;
}

/** Flows that differ in nothing that a table reads of them but their ports. */
export interface AlikeFlows {
  first: FlowRecord;
  ports: FlowPorts | undefined;
  /** They teach names. */
  teaches: boolean;
  /** What was found for a port of requests and of replies, and for flows that may be either. */
  found: {
    requests: Map<number | undefined, Found>;
    replies: Map<number | undefined, Found>;
    either?: Found;
  };
}

/**
 * Where flows are counted: with those of their connection, or by the reason why policy does not decide them. It is the same
 * value for all flows that are counted together.
 */
export type Found = { known: Observed; seen: Seen } | string;

const NONE: Readonly<Record<Seen, number>> = { allowed: 0, denied: 0, other: 0, dropped: 0, unsaid: 0 };

/** Groups flows by connection. Its size grows with the number of distinct connections, not of flows. */
export class FlowTable {
  total = 0;
  /** Number of flows that policy does not decide, by reason. */
  readonly skipped = new Map<string, number>();
  /** Of these, how many may have a verdict, by what happened to them. */
  readonly unread: Record<Seen, number> = { ...NONE };
  readonly facts = new FlowFacts();
  readonly #connections = new Map<string, { known: Observed; found: Partial<Record<Seen, Found>> }>();
  /** DNS names by address. */
  readonly #names = new Map<string, readonly string[]>();

  constructor(readonly peers: Peers) {}

  add(flow: FlowRecord): Found {
    this.total++;
    this.#learn(flow);
    this.facts.add(flow);
    return this.#count(
      this.#find(flow, portsOf(flow), () => flow.uuid),
      flow,
    );
  }

  /** What `addAlike` takes for flows that are like this one. */
  alike(first: FlowRecord): AlikeFlows {
    this.facts.add(first);
    const { source_names = [], destination_names = [], l7 } = first;
    return {
      first,
      ports: portsOf(first),
      teaches: source_names.length > 0 || destination_names.length > 0 || l7?.type === 'RESPONSE',
      found: { requests: new Map(), replies: new Map() },
    };
  }

  /** Adds one of several flows that are alike. */
  addAlike(
    { first, ports, teaches, found }: AlikeFlows,
    source: number | undefined,
    destination: number | undefined,
    uuid: () => string | undefined,
  ): Found {
    this.total++;
    if (teaches) this.#learn(first);
    const own = ports && hasPorts(ports) ? { ...ports, source, destination } : ports;
    const reply = own && isReply(first, own);
    if (reply === undefined) {
      found.either ??= this.#find(first, own, uuid);
      return this.#count(found.either, first);
    }
    const known = reply ? found.replies : found.requests;
    const port = reply ? source : destination;
    let where = known.get(port);
    if (where === undefined) {
      where = this.#find(first, own, uuid);
      known.set(port, where);
    }
    return this.#count(where, first);
  }

  #find(flow: FlowRecord, ports: FlowPorts | undefined, uuid: () => string | undefined): Found {
    const connection = connectionOf(flow, this.peers, ports);
    if (typeof connection === 'string') return connection;
    const { key, seen } = connection;
    let entry = this.#connections.get(key);
    if (!entry) {
      entry = { known: { ...NONE, connection, example: uuid() }, found: {} };
      this.#connections.set(key, entry);
    }
    entry.found[seen] ??= { known: entry.known, seen };
    return entry.found[seen];
  }

  #count(where: Found, flow: FlowRecord): Found {
    if (typeof where !== 'string') {
      where.known[where.seen]++;
      return where;
    }
    if (where !== ICMP_ERROR) this.unread[seenOf(flow)]++;
    this.skipped.set(where, (this.skipped.get(where) ?? 0) + 1);
    return where;
  }

  /** The peer with the DNS names that other flows show for its address, when its own flow shows none. */
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

  /** Decides a connection, with the names that other flows show. */
  decide(engine: PolicyEngine, { source, destination, traffic, balanced }: Connection): FullDecision {
    return decideWanted(engine, {
      source: this.named(source),
      destination: this.named(destination),
      traffic,
      balanced,
    });
  }

  get connections(): Iterable<Observed> {
    return this.#connections.values().map(({ known }) => known);
  }
}

/** Not types of ICMP. */
function hasPorts({ protocol }: FlowPorts): boolean {
  return protocol === 6 || protocol === 17 || protocol === 132;
}
