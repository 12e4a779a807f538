import { formatRange, parseRange } from '../../lib/address.ts';
import {
  type Connection,
  connectionOf,
  type FlowRecord,
  ICMP_ERROR,
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

const NONE: Readonly<Record<Seen, number>> = { allowed: 0, denied: 0, other: 0, dropped: 0, unsaid: 0 };

/** Groups flows by connection. Its size grows with the number of distinct connections, not of flows. */
export class FlowTable {
  total = 0;
  /** Number of flows that policy does not decide, by reason. */
  readonly skipped = new Map<string, number>();
  /** Of these, how many may have a verdict, by what happened to them. */
  readonly unread: Record<Seen, number> = { ...NONE };
  readonly facts = new FlowFacts();
  readonly #connections = new Map<string, Observed>();
  /** DNS names by address. */
  readonly #names = new Map<string, readonly string[]>();

  constructor(readonly peers: Peers) {}

  add(flow: FlowRecord): void {
    this.total++;
    this.#learn(flow);
    const connection = connectionOf(flow, this.peers);
    this.facts.add(flow);
    if (typeof connection === 'string') {
      if (connection !== ICMP_ERROR) this.unread[seenOf(flow)]++;
      this.skipped.set(connection, (this.skipped.get(connection) ?? 0) + 1);
      return;
    }
    const known = this.#connections.get(connection.key);
    if (known) known[connection.seen]++;
    else {
      const observed: Observed = { ...NONE, connection, example: flow.uuid };
      observed[connection.seen]++;
      this.#connections.set(connection.key, observed);
    }
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
    return this.#connections.values();
  }
}
