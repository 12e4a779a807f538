import type { TUNNEL, VTEP } from '../../bpf/layouts/nodes.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { clusterSuffix } from './parts.ts';

type Tunnel = (typeof TUNNEL)['variants'][number];
type Vtep = (typeof VTEP)['variants'][number];

/** Value of `bpf vtep list`. */
export function vtepText({ mac, tunnelEndpoint }: RecordOf<Vtep['value']>): string {
  return `vtepmac=${mac.toUpperCase()} tunnelendpoint=${tunnelEndpoint}`;
}

/** Key of `bpf tunnel list`. */
export function tunnelKeyText({ ip, clusterId }: RecordOf<Tunnel['key']>): string {
  return ip === '' ? 'nil' : `${ip}${clusterSuffix(clusterId)}`;
}

/** Value of `bpf tunnel list`. */
export function tunnelText({ ip, encryptKey }: RecordOf<Tunnel['value']>): string {
  return ip === '' ? 'nil' : `${ip}:${encryptKey}`;
}
