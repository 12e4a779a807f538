import type { PackedEntries } from '../../model/bpf-map.ts';
import type { Connection, Translation } from '../../model/conntrack.ts';
import type { Release } from '../../model/release.ts';
import type { BpfMap } from '../kernel/objects.ts';
import { CONNTRACK4, CONNTRACK6, TUPLE_FLAG, type tuple4, tuple6 } from '../layouts/conntrack.ts';
import { NAT4, NAT6 } from '../layouts/nat.ts';
import { decode, readField } from './codec.ts';
import { requireVariant } from './records.ts';

/** What is wanted of a conntrack map. A connection matches when each set that is given holds one of its ends. */
export interface ConnectionFilter {
  ips?: ReadonlySet<string>;
  ports?: ReadonlySet<number>;
  /** What else has to hold. */
  test?: (connection: Connection) => boolean;
}

/** The structs of an open conntrack map; fails when its entries have another size than any release's. */
export function conntrackVariant(map: BpfMap, release?: Release) {
  return map.info.keySize === tuple6.size
    ? requireVariant(map, CONNTRACK6, release)
    : requireVariant(map, CONNTRACK4, release);
}

/** The structs of an open NAT map. */
export function natVariant(map: BpfMap, release?: Release) {
  return map.info.keySize === tuple6.size
    ? requireVariant(map, NAT6, release)
    : requireVariant(map, NAT4, release);
}

/** IP version of the addresses of a tuple. */
export const familyOf = (tuple: typeof tuple4 | typeof tuple6): 4 | 6 => (tuple === tuple6 ? 6 : 4);

/** The connection of the conntrack key at `base`. The addresses are stored exchanged, the ports are not. */
export function decodeConnection(tuple: typeof tuple4 | typeof tuple6, keys: Buffer, base = 0): Connection {
  const { fields } = tuple;
  const flags = readField(fields.flags, keys, base);
  const service = (flags & TUPLE_FLAG.service) !== 0;
  const [from, to] = service ? [fields.source, fields.destination] : [fields.destination, fields.source];
  const [fromPort, toPort] = service
    ? [fields.destinationPort, fields.sourcePort]
    : [fields.sourcePort, fields.destinationPort];
  return {
    protocol: readField(fields.protocol, keys, base),
    related: (flags & TUPLE_FLAG.related) !== 0,
    direction: service ? 'SVC' : flags & TUPLE_FLAG.in ? 'IN' : 'OUT',
    source: readField<'ipv4' | 'ipv6'>(from, keys, base),
    sourcePort: readField(fromPort, keys, base),
    destination: readField<'ipv4' | 'ipv6'>(to, keys, base),
    destinationPort: readField(toPort, keys, base),
  };
}

/** Whether a connection is wanted. */
export function matchesConnection(connection: Connection, { ips, ports, test }: ConnectionFilter): boolean {
  if (ips && !ips.has(connection.source) && !ips.has(connection.destination)) return false;
  if (ports && !ports.has(connection.sourcePort) && !ports.has(connection.destinationPort)) return false;
  return test?.(connection) ?? true;
}

/** The translation of entry `i` of a NAT map. Other than in conntrack maps, source and destination are the packet's. */
export function decodeTranslation(
  { key, value }: Pick<ReturnType<typeof natVariant>, 'key' | 'value'>,
  { keys, values, keySize, valueStride }: PackedEntries,
  i: number,
): Translation {
  const tuple = decode(key, keys, i * keySize);
  const entry = decode(value, values, i * valueStride);
  const { address, port, created } = entry;
  return {
    protocol: tuple.protocol,
    direction: tuple.flags & TUPLE_FLAG.in ? 'IN' : 'OUT',
    related: (tuple.flags & TUPLE_FLAG.related) !== 0,
    service: (tuple.flags & TUPLE_FLAG.service) !== 0,
    source: tuple.source,
    sourcePort: tuple.sourcePort,
    destination: tuple.destination,
    destinationPort: tuple.destinationPort,
    created,
    ...('needsCt' in entry ? { needsCt: entry.needsCt } : { hostLocal: entry.hostLocal }),
    toAddress: address,
    toPort: port,
  };
}
