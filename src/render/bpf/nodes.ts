import type { TUNNEL, VTEP } from '../../bpf/layouts/nodes.ts';
import type { RecordOf, Struct } from '../../bpf/layouts/struct.ts';
import { bracketed } from '../../lib/address.ts';
import { clusterSuffix } from './parts.ts';

type Tunnel = (typeof TUNNEL)['variants'][number];
type Vtep = (typeof VTEP)['variants'][number];

/** Value of `bpf vtep list`. */
export function vtepText({ mac, tunnelEndpoint }: RecordOf<Vtep['value']>): string {
  return `vtepmac=${mac.toUpperCase()} tunnelendpoint=${tunnelEndpoint}`;
}

/**
 * Entry of `bpf tunnel list`. Up to 1.12 both ends have a key, and addresses of IPv6 have brackets; 1.13 and 1.14 print the
 * number of the node behind the key.
 */
export function tunnelTexts({ key, value }: MapRecordOf<Tunnel>): [key: string, value: string] {
  const end = (
    { ip, encryptKey, ...more }: { ip: string; encryptKey: number; nodeId?: number },
    host = ip,
  ) => (ip === '' ? 'nil' : `${host}:${encryptKey}${more.nodeId === undefined ? '' : ` ${more.nodeId}`}`);
  if ('clusterId' in key)
    return [key.ip === '' ? 'nil' : `${key.ip}${clusterSuffix(key.clusterId)}`, end(value)];
  return [end(key, bracketed(key.ip)), end(value, bracketed(value.ip))];
}

interface MapRecordOf<V extends { key: Struct; value: Struct }> {
  key: RecordOf<V['key']>;
  value: RecordOf<V['value']>;
}
