import { ctEntry, TUPLE_FLAG, tuple4, tuple6 } from '../../bpf/layouts/conntrack.ts';
import { natEntry4, natEntry6 } from '../../bpf/layouts/nat.ts';
import { encode } from '../../bpf/maps/codec.ts';
import type { Connection, Packet } from './tracked.ts';

/** Where entries are written to, by name of the map. */
export interface Tables {
  put(table: string, key: Buffer, value: Buffer): void;
  remove(table: string, key: Buffer): void;
}

/** Connections that are kept besides those that stand; the one that was quiet the longest goes first. */
export const MAX_CONNECTIONS = 8192;
/** A TCP connection that is quiet for this long is closed by its ends. */
const IDLE_SECONDS = 30;
/** Lifetimes of entries, as agents set them by default. */
const LIFETIME = { established: 8000, other: 60, closing: 10 };
const FLAG = { rxClosing: 1, txClosing: 2, seenNonSyn: 0x10 };
const FIN = 1;
const SYN = 2;
const TCP = 6;
const PACKET_BYTES = 74n;
const FIRST_NAT_PORT = 1024;

interface Live {
  connection: Connection;
  packets: bigint;
  rxFlags: number;
  txFlags: number;
  lastRx: number;
  lastTx: number;
  /** Both in seconds of the datapath's clock. */
  seen: number;
  expires: number;
  closing: boolean;
  standing: boolean;
  nat?: Translation;
}

interface Translation {
  table: string;
  port: number;
  created: number;
  keys: [out: Buffer, back: Buffer];
}

/** The connections of a lab: they come with the packets that are played, grow old, and go. */
export class Connections {
  /** The one that was quiet the longest is the first. */
  readonly #live = new Map<string, Live>();
  readonly #ports = new Set<string>();
  #standing = 0;

  constructor(private readonly tables: Tables) {}

  get size(): number {
    return this.#live.size;
  }

  /** Takes note of a packet that passed `times` times. */
  play({ connections, reply, counted, tcpFlags }: Packet, times: number, now: number): void {
    for (const connection of connections) {
      const live = this.#touch(connection, now);
      if (counted) live.packets += BigInt(times);
      if (reply) {
        live.rxFlags |= tcpFlags;
        live.lastRx = now;
      } else {
        live.txFlags |= tcpFlags;
        live.lastTx = now;
      }
      live.closing = false;
      this.#renew(live, now);
      this.#write(live);
    }
    this.#shrink();
  }

  /** Makes these the connections that stay open whatever is played. */
  stand(connections: readonly Connection[], now: number): void {
    const wanted = new Set(connections.map(({ id }) => id));
    for (const live of this.#live.values())
      if (live.standing && !wanted.has(live.connection.id)) this.#end(live);
    for (const connection of connections) {
      const live = this.#touch(connection, now);
      if (!live.standing) this.#standing++;
      live.standing = true;
      live.rxFlags = live.txFlags = connection.protocol === TCP ? SYN : 0;
      live.lastRx = live.lastTx = now;
      live.packets += 2n;
      this.#renew(live, now);
      this.#write(live);
    }
  }

  /** Closes what is quiet and takes out what has expired. */
  age(now: number): void {
    for (const live of this.#live.values()) {
      if (live.standing) continue;
      const tcp = live.connection.protocol === TCP;
      if (live.expires <= now) this.#end(live);
      else if (tcp && !live.closing && live.lastRx > 0 && now - live.seen >= IDLE_SECONDS) {
        live.closing = true;
        live.rxFlags |= FIN;
        live.txFlags |= FIN;
        live.expires = now + LIFETIME.closing;
        this.#write(live);
      }
    }
  }

  /** Ends the connections that `gone` is about. */
  drop(gone: (connection: Connection) => boolean): void {
    for (const live of this.#live.values()) if (gone(live.connection)) this.#end(live);
  }

  #touch(connection: Connection, now: number): Live {
    const known = this.#live.get(connection.id);
    const live = known ?? {
      connection,
      packets: 0n,
      rxFlags: 0,
      txFlags: 0,
      lastRx: 0,
      lastTx: 0,
      seen: now,
      expires: 0,
      closing: false,
      standing: false,
      ...this.#translation(connection, now),
    };
    live.seen = now;
    this.#live.delete(connection.id);
    this.#live.set(connection.id, live);
    return live;
  }

  #renew(live: Live, now: number): void {
    const established = live.connection.protocol === TCP && live.lastRx > 0;
    live.expires = now + (established ? LIFETIME.established : LIFETIME.other);
  }

  /** A port of the node that no other connection to the same peer has. */
  #translation(connection: Connection, now: number): { nat?: Translation } {
    const { masqueradeAs, source, sourcePort, destination, destinationPort, protocol } = connection;
    if (masqueradeAs === undefined) return {};
    const v6 = destination.includes(':');
    const tuple = v6 ? tuple6 : tuple4;
    const back = (port: number) =>
      encode(tuple, {
        destination: masqueradeAs,
        source: destination,
        destinationPort: port,
        sourcePort: destinationPort,
        protocol,
        flags: TUPLE_FLAG.in,
      });
    // Echo requests have no ports: their first packet's would be the identifier.
    let port = sourcePort === 0 ? 0 : Math.max(sourcePort, FIRST_NAT_PORT);
    while (port !== 0 && this.#ports.has(back(port).toString('latin1')))
      port = port === 0xffff ? FIRST_NAT_PORT : port + 1;
    const keys: Translation['keys'] = [
      encode(tuple, { destination, source, destinationPort, sourcePort, protocol }),
      back(port),
    ];
    this.#ports.add(keys[1].toString('latin1'));
    return { nat: { table: `cilium_snat_v${v6 ? 6 : 4}_external`, port, created: now, keys } };
  }

  #write({ connection, nat, ...live }: Live): void {
    const { table, key, identity, revNatId, backendId } = connection;
    const established = connection.protocol === TCP && live.lastRx > 0;
    this.tables.put(
      table,
      key,
      encode(ctEntry, {
        backendId: BigInt(backendId),
        packets: live.packets,
        bytes: live.packets * PACKET_BYTES,
        lifetime: live.expires,
        flags: (live.closing ? FLAG.rxClosing | FLAG.txClosing : 0) | (established ? FLAG.seenNonSyn : 0),
        revNatId,
        txFlagsSeen: live.txFlags,
        rxFlagsSeen: live.rxFlags,
        sourceIdentity: identity,
        lastTxReport: live.lastTx,
        lastRxReport: live.lastRx,
      }),
    );
    if (!nat) return;
    const entry = connection.destination.includes(':') ? natEntry6 : natEntry4;
    const common = { created: BigInt(nat.created) };
    const [out, back] = nat.keys;
    this.tables.put(
      nat.table,
      out,
      encode(entry, { ...common, address: connection.masqueradeAs ?? '', port: nat.port }),
    );
    this.tables.put(
      nat.table,
      back,
      encode(entry, { ...common, address: connection.source, port: connection.sourcePort }),
    );
  }

  #end(live: Live): void {
    const { connection, nat } = live;
    this.#live.delete(connection.id);
    if (live.standing) this.#standing--;
    this.tables.remove(connection.table, connection.key);
    if (!nat) return;
    for (const key of nat.keys) this.tables.remove(nat.table, key);
    this.#ports.delete(nat.keys[1].toString('latin1'));
  }

  #shrink(): void {
    for (const live of this.#live.values()) {
      if (this.#live.size - this.#standing <= MAX_CONNECTIONS) return;
      if (!live.standing) this.#end(live);
    }
  }
}
