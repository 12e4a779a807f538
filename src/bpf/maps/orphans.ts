import { type AddressRange, contains, parseAddress } from '../../lib/address.ts';
import type { Connection, Translation } from '../../model/conntrack.ts';
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
  key: Buffer;
  translation: Translation;
  reason: 'no connection' | 'endpoint gone';
}

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
): AsyncGenerator<NatOrphan> {
  const variant = natVariant(map);
  const family = familyOf(variant.key);
  for await (const batch of walk(map))
    for (let i = 0; i < batch.count; i++) {
      const translation = decodeTranslation(variant, batch, i);
      const base = i * batch.keySize;
      const key = batch.keys.subarray(base, base + batch.keySize);
      const reason = gone(original(translation).source, local)
        ? 'endpoint gone'
        : hasConnection(translation, family, tables)
          ? undefined
          : 'no connection';
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

/** Whether a connection entry stands behind a translation: of a connection that was opened here, or to here (DSR). */
function hasConnection(nat: Translation, family: 4 | 6, tables: Tables): boolean {
  const table = nat.protocol === TCP ? tables.tcp : tables.any;
  // Without the table there is nothing to judge by.
  if (!table) return true;
  const { source, sourcePort, peer, peerPort } = original(nat);
  const opened = connectionKey(family, nat.protocol, 0, source, sourcePort, peer, peerPort);
  if (table.lookup(opened)) return true;
  return (
    table.lookup(connectionKey(family, nat.protocol, TUPLE_FLAG.in, peer, peerPort, source, sourcePort)) !==
    undefined
  );
}

/** Key of a connection from `source` to `destination`: the addresses are stored exchanged, the ports are not. */
function connectionKey(
  family: 4 | 6,
  protocol: number,
  flags: number,
  source: string,
  sourcePort: number,
  destination: string,
  destinationPort: number,
): Buffer {
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
      const here = connection.direction === 'IN' ? connection.destination : connection.source;
      if (gone(here, local))
        yield { key: Buffer.from(keys.subarray(i * keySize, (i + 1) * keySize)), connection };
    }
}

function gone(ip: string, local: LocalAddresses | undefined): boolean {
  if (!local || local.present.has(ip)) return false;
  const address = parseAddress(ip);
  return address !== undefined && local.ranges.some((range) => contains(range, address));
}
