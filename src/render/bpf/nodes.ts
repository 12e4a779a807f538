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

/** Entry of `bpf tunnel list`. Up to 1.11 both ends have a key, and addresses of IPv6 have brackets. */
export function tunnelTexts({ key, value }: MapRecordOf<Tunnel>): [key: string, value: string] {
  const end = ({ ip, encryptKey }: { ip: string; encryptKey: number }, host = ip) =>
    ip === '' ? 'nil' : `${host}:${encryptKey}`;
  if ('clusterId' in key)
    return [key.ip === '' ? 'nil' : `${key.ip}${clusterSuffix(key.clusterId)}`, end(value)];
  return [end(key, bracketed(key.ip)), end(value, bracketed(value.ip))];
}

interface MapRecordOf<V extends { key: Struct; value: Struct }> {
  key: RecordOf<V['key']>;
  value: RecordOf<V['value']>;
}
