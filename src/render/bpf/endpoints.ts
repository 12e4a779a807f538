import { ENDPOINT_IS_HOST, type endpointInfo116, type endpointKey } from '../../bpf/layouts/endpoints.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { bracketed } from '../../lib/address.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { clusterSuffix, hexUpper, padded } from './parts.ts';

/** Key of `bpf endpoint list`. Up to 1.13 addresses of IPv6 have brackets. */
export function endpointKeyText(
  { ip, clusterId, key }: RecordOf<typeof endpointKey>,
  release: Release,
): string {
  if (ip === '') return 'nil';
  return atLeast(release, '1.14') ? `${ip}${clusterSuffix(clusterId)}:${key}` : `${bracketed(ip)}:${key}`;
}

/** Value of `bpf endpoint list`. */
export function endpointText(
  info: RecordOf<typeof endpointInfo116> & { parentIfindex?: number; routeInfo?: number },
  release: Release,
): string {
  if (info.flags & ENDPOINT_IS_HOST) return '(localhost)';
  const { endpointId, identity, flags, ifindex, mac, nodeMac, parentIfindex, routeInfo } = info;
  const peer = atLeast(release, '1.14') ? ` sec_id=${padded(identity, 5)}` : '';
  let text = `id=${padded(endpointId, 5)}${peer} flags=0x${hexUpper(flags, 4)} ifindex=${padded(ifindex, 3)} mac=${mac.toUpperCase()} nodemac=${nodeMac.toUpperCase()}`;
  if (parentIfindex !== undefined) text += ` parent_ifindex=${padded(parentIfindex, 3)}`;
  return routeInfo === undefined ? text : `${text} rt_info:${routeInfo}`;
}
