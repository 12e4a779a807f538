import { formatRange, parseRange } from '../../lib/address.ts';
import { type Connection, connectionOf, type FlowRecord } from '../evaluate/decide/connections.ts';
import type { Peers } from '../evaluate/decide/peers.ts';
import type { Identity } from '../evaluate/selectors/identities.ts';

/** Number of flows that policy treats alike, by what happened to them. */
export interface Observed {
  connection: Connection;
  allowed: number;
  denied: number;
  /** Neither, such as dropped for another reason. */
  other: number;
  example: string | undefined;
}

/** Groups flows by connection. Its size grows with the number of distinct connections, not of flows. */
export class FlowTable {
  total = 0;
  /** Number of flows that policy does not decide, by reason. */
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

  /** The cluster's name, from the labels of pods in the flows. */
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
