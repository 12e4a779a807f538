import { type AddressRange, contains, parseAddress } from '../../lib/address.ts';
import type { Connection, Translation } from '../../model/conntrack.ts';
import type { Release } from '../../model/release.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { walk } from '../kernel/reader.ts';
import { TUPLE_FLAG, tuple4, tuple6 } from '../layouts/conntrack.ts';
import { encode } from './codec.ts';
import {
  conntrackVariant,
  decodeConnection,
  decodeTranslation,
  familyOf,
  natVariant,
} from './connections.ts';

const TCP = 6;

/** Connection tables of one family: that of TCP and that of all other protocols. */
export interface Tables {
  tcp: BpfMap | undefined;
  any: BpfMap | undefined;
}

/** A NAT entry that nothing needs any more. */
export interface NatOrphan {
  family: 4 | 6;
  translation: Translation;
  reason: 'no connection' | 'endpoint gone';
}

/** The same with its key in the map. */
export interface PinnedNatOrphan extends NatOrphan {
  key: Buffer;
}

/** The ends of a connection, from who opened it. */
export type Ends = Pick<Connection, 'protocol' | 'source' | 'sourcePort' | 'destination' | 'destinationPort'>;

/** Whether there is a connection of these ends, opened here or to here; undefined where nothing tells. */
export type FindConnection = (ends: Ends, direction: 'IN' | 'OUT') => boolean | undefined;

/** Which addresses belonged to endpoints of this node, and which still do. */
export interface LocalAddresses {
  ranges: readonly AddressRange[];
  /** Text form, as the datapath's endpoint map has them. */
  present: ReadonlySet<string>;
}

/** NAT entries without a connection, or of an endpoint that is gone. */
export async function* natOrphans(
  map: BpfMap,
  tables: Tables,
  local: LocalAddresses | undefined,
  release: Release,
): AsyncGenerator<PinnedNatOrphan> {
  const variant = natVariant(map, release);
  const family = familyOf(variant.key);
  const find: FindConnection = (ends, direction) => {
    const table = ends.protocol === TCP ? tables.tcp : tables.any;
    const flags = direction === 'IN' ? TUPLE_FLAG.in : 0;
    return table && table.lookup(connectionKey(family, flags, ends)) !== undefined;
  };
  for await (const batch of walk(map))
    for (let i = 0; i < batch.count; i++) {
      const translation = decodeTranslation(variant, batch, i);
      const base = i * batch.keySize;
      const key = batch.keys.subarray(base, base + batch.keySize);
      const reason = natReason(translation, local, find);
      if (reason) yield { family, key: Buffer.from(key), translation, reason };
    }
}

/** The packet as the endpoint sent it: an entry for replies names it by what it translates them back to. */
function original(nat: Translation): { source: string; sourcePort: number; peer: string; peerPort: number } {
  return nat.direction === 'IN'
    ? { source: nat.toAddress, sourcePort: nat.toPort, peer: nat.source, peerPort: nat.sourcePort }
    : {
        source: nat.source,
        sourcePort: nat.sourcePort,
        peer: nat.destination,
        peerPort: nat.destinationPort,
      };
}

/** Why nothing needs a translation any more; undefined where something does. */
export function natReason(
  nat: Translation,
  local: LocalAddresses | undefined,
  find: FindConnection,
): NatOrphan['reason'] | undefined {
  const { source, sourcePort, peer, peerPort } = original(nat);
  if (gone(source, local)) return 'endpoint gone';
  const { protocol } = nat;
  const opened = find({ protocol, source, sourcePort, destination: peer, destinationPort: peerPort }, 'OUT');
  // Without a table there is nothing to judge by.
  if (opened !== false) return undefined;
  // One that was opened to here, as with DSR.
  const taken = find(
    { protocol, source: peer, sourcePort: peerPort, destination: source, destinationPort: sourcePort },
    'IN',
  );
  return taken === false ? 'no connection' : undefined;
}

/** Key of a connection: the addresses are stored exchanged, the ports are not. */
function connectionKey(family: 4 | 6, flags: number, ends: Ends): Buffer {
  const { protocol, source, sourcePort, destination, destinationPort } = ends;
  return encode(family === 4 ? tuple4 : tuple6, {
    destination: source,
    source: destination,
    destinationPort,
    sourcePort,
    protocol,
    flags,
  });
}

/** A connection of an endpoint that is gone. */
export interface ConnectionOrphan {
  key: Buffer;
  connection: Connection;
}

/** Connections whose end on this node was an endpoint that is gone. */
export async function* connectionOrphans(
  map: BpfMap,
  local: LocalAddresses,
): AsyncGenerator<ConnectionOrphan> {
  const { key: tuple } = conntrackVariant(map);
  for await (const { keys, count, keySize } of walk(map))
    for (let i = 0; i < count; i++) {
      const connection = decodeConnection(tuple, keys, i * keySize);
      if (isOrphan(connection, local))
        yield { key: Buffer.from(keys.subarray(i * keySize, (i + 1) * keySize)), connection };
    }
}

/** Whether the end of a connection on this node was an endpoint that is gone. */
export function isOrphan(connection: Connection, local: LocalAddresses): boolean {
  return gone(connection.direction === 'IN' ? connection.destination : connection.source, local);
}

function gone(ip: string, local: LocalAddresses | undefined): boolean {
  if (!local || local.present.has(ip)) return false;
  const address = parseAddress(ip);
  return address !== undefined && local.ranges.some((range) => contains(range, address));
}
