import { ENDPOINT_IS_HOST, type endpointInfo117, type endpointKey } from '../../bpf/layouts/endpoints.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { clusterSuffix, hexUpper, padded } from './parts.ts';

/** Key of `bpf endpoint list`. */
export function endpointKeyText({ ip, clusterId, key }: RecordOf<typeof endpointKey>): string {
  return ip === '' ? 'nil' : `${ip}${clusterSuffix(clusterId)}:${key}`;
}

/** Value of `bpf endpoint list`. */
export function endpointText(info: RecordOf<typeof endpointInfo117> & { parentIfindex?: number }): string {
  if (info.flags & ENDPOINT_IS_HOST) return '(localhost)';
  const { endpointId, identity, flags, ifindex, mac, nodeMac, parentIfindex } = info;
  const text = `id=${padded(endpointId, 5)} sec_id=${padded(identity, 5)} flags=0x${hexUpper(flags, 4)} ifindex=${padded(
    ifindex,
    3,
  )} mac=${mac.toUpperCase()} nodemac=${nodeMac.toUpperCase()}`;
  return parentIfindex === undefined ? text : `${text} parent_ifindex=${padded(parentIfindex, 3)}`;
}
