import { withoutMapping } from '../../lib/address.ts';
import type { Connection, Translation } from '../../model/conntrack.ts';
import { protocolName } from '../../model/protocol.ts';
import { atLeast, type Release } from '../../model/release.ts';

/** `TCP OUT 10.0.0.1:5 -> 10.0.0.2:80`. */
export function connectionText(c: Connection, release: Release): string {
  const protocol = protocolName(c.protocol, release);
  return `${protocol} ${c.direction} ${c.source}:${c.sourcePort} -> ${c.destination}:${c.destinationPort}`;
}

/** A line of `bpf nat list`, without its end. `age` gives the seconds since an entry's creation. */
export function translationLine(
  nat: Translation,
  family: 4 | 6,
  age: ((created: bigint) => number | bigint) | undefined,
  release: Release,
): string {
  // Up to 1.19 an address of IPv4 within IPv6 is told as such.
  const plain = !atLeast(release, '1.20');
  const host = (ip: string) => (family === 4 ? ip : `[${plain ? withoutMapping(ip) : ip}]`);
  const words = `${nat.related ? 'related ' : ''}${nat.service ? 'service ' : ''}`;
  const created = age ? `${age(nat.created)}sec` : `? (raw ${nat.created})`;
  const ago = age && atLeast(release, '1.14') ? ' ago' : '';
  // Up to 1.12 another word stands in the same place.
  const rest = nat.hostLocal === undefined ? ` NeedsCT=${nat.needsCt}` : ` HostLocal=${nat.hostLocal}`;
  return `${protocolName(nat.protocol, release)} ${nat.direction} ${host(nat.source)}:${nat.sourcePort} -> ${host(
    nat.destination,
  )}:${nat.destinationPort} ${words}XLATE_${nat.direction === 'IN' ? 'DST' : 'SRC'} ${host(nat.toAddress)}:${
    nat.toPort
  } Created=${created}${ago}${rest}`;
}
