/** Keys and values in the words of the reference's map dumps. */

import { protocolName } from '../../model/protocol.ts';
import { ipcacheFlagWords, serviceFlagWords } from './names.ts';
import type * as s from './structs.ts';

type Of<L extends { decode(raw: Buffer, base?: number): unknown }> = ReturnType<L['decode']>;
type Service = Of<typeof s.service>;
type ServiceKey = Of<typeof s.serviceKey4>;
type Backend = Of<typeof s.backend4>;
type Address = Of<typeof s.revNat4>;

const hexUpper = (n: number, width: number) => n.toString(16).toUpperCase().padStart(width, '0');
const padded = (n: number, width: number) => String(n).padEnd(width);
const bracketed = (host: string) => (host.includes(':') ? `[${host}]` : host);
const clusterSuffix = (clusterId: number) => (clusterId === 0 ? '' : `@${clusterId}`);

const ENDPOINT_IS_HOST = 1;

export function endpointKeyText({ ip, clusterId, key }: Of<typeof s.endpointKey>): string {
  return ip === '' ? 'nil' : `${ip}${clusterSuffix(clusterId)}:${key}`;
}

export function endpointText(
  info: Of<typeof s.endpointInfo117> & Partial<Pick<Of<typeof s.endpointInfo>, 'parentIfindex'>>,
): string {
  if (info.flags & ENDPOINT_IS_HOST) return '(localhost)';
  const { endpointId, identity, flags, ifindex, mac, nodeMac, parentIfindex } = info;
  const text = `id=${padded(endpointId, 5)} sec_id=${padded(identity, 5)} flags=0x${hexUpper(flags, 4)} ifindex=${padded(
    ifindex,
    3,
  )} mac=${mac.toUpperCase()} nodemac=${nodeMac.toUpperCase()}`;
  return parentIfindex === undefined ? text : `${text} parent_ifindex=${padded(parentIfindex, 3)}`;
}

const IPCACHE_STATIC_BITS = 32;

export function ipcacheKeyText({ ip, prefixLength, clusterId }: Of<typeof s.ipcacheKey>): string {
  return ip === '' ? '<unknown>' : `${ip}/${prefixLength - IPCACHE_STATIC_BITS}${clusterSuffix(clusterId)}`;
}

export function ipcacheText(value: Of<typeof s.remoteEndpoint>): string {
  return `identity=${value.identity} encryptkey=${value.encryptKey} tunnelendpoint=${value.tunnelEndpoint} flags=${ipcacheFlagWords(value.flags)}`;
}

/** As agents up to 1.17 print it: a comma, and only one flag was known. */
export function ipcacheText117(value: Of<typeof s.remoteEndpoint117>): string {
  return `identity=${value.identity} encryptkey=${value.encryptKey} tunnelendpoint=${value.tunnelEndpoint}, flags=${ipcacheFlagWords(value.flags & 1)}`;
}

/** `10.96.0.1:443/TCP (0)`; up to 1.17 without the protocol. */
export function serviceKeyText(key: ServiceKey, withProtocol: boolean): string {
  const protocol = withProtocol ? `/${protocolName(key.protocol)}` : '';
  return `${bracketed(key.address)}:${key.port}${protocol}${key.scope === 1 ? '/i' : ''} (${key.slot})`;
}

/** The raw service entry, as `bpf lb list --frontends` shows it. */
export function serviceText({ word, count, quarantined, revNatId, flags }: Service): string {
  return `${word} ${count}[${quarantined}] (${revNatId}) [0x${(flags & 0xff).toString(16)} 0x${(flags >> 8).toString(16)}]`;
}

const SERVICE_L7 = 0x0400;

/** What `bpf lb list` says about a frontend: its flags, and the proxy's port for L7 services. */
export function frontendText(key: ServiceKey, { word, revNatId, flags }: Service): string {
  const any = key.address.includes(':') ? '[::]' : '0.0.0.0';
  const proxyPort = ((word & 0xff) << 8) | ((word >>> 8) & 0xff);
  const proxy = flags & SERVICE_L7 ? `(L7LB Proxy Port: ${proxyPort})` : '';
  return `${any}:0 (${revNatId}) (0) [${serviceFlagWords(flags).join(', ')}] ${proxy}`;
}

/** What `bpf lb list` says about one backend of a service. */
export function serviceBackendText(
  key: ServiceKey,
  service: Service,
  backend: Pick<Backend, 'address' | 'port' | 'protocol'> | undefined,
  withProtocol: boolean,
): string {
  if (!backend) return `backend ${service.word} not found`;
  const host = key.address.includes(':') ? `[${backend.address}]` : backend.address;
  const protocol = withProtocol ? `/${protocolName(backend.protocol)}` : '';
  return `${host}:${backend.port}${protocol} (${service.revNatId}) (${key.slot})`;
}

/** As the reference prints a backend: without its port. The zone has a name only in the agent's flags. */
export function backendText({ protocol, address, clusterId, zone }: Backend): string {
  return `${protocolName(protocol)}://${address}${clusterSuffix(clusterId)}${zone === 0 ? '' : `[${zone}]`}`;
}

export function addressText({ address, port }: Address): string {
  return `${bracketed(address)}:${port}`;
}

export function sourceRangeText({ ip, prefixLength, revNatId }: Of<typeof s.sourceRange4>): string {
  return `${ip}/${prefixLength - 32} (${revNatId})`;
}

export function vtepText({ mac, tunnelEndpoint }: Of<typeof s.vtepValue>): string {
  return `vtepmac=${mac.toUpperCase()} tunnelendpoint=${tunnelEndpoint}`;
}

export function tunnelKeyText({ ip, clusterId }: Of<typeof s.tunnelKey117>): string {
  return ip === '' ? 'nil' : `${ip}${clusterSuffix(clusterId)}`;
}

export function tunnelText({ ip, encryptKey }: Of<typeof s.tunnelValue117>): string {
  return ip === '' ? 'nil' : `${ip}:${encryptKey}`;
}

/** Two bytes in network order as the reference prints them where it forgets to swap. */
export const unswapped = (port: number) => ((port & 0xff) << 8) | (port >> 8);

/** `backend -> frontend` of a socket's reverse translation. The reference prints ports as signed, unswapped numbers. */
export function socketNatText(key: Of<typeof s.socketTuple4>, value: Of<typeof s.socketEntry4>): string {
  const signed = (port: number) => (unswapped(port) << 16) >> 16;
  const side = (address: string, port: number) => `${bracketed(address)}:${signed(port)}`;
  return `${side(key.address, key.port)} -> ${side(value.address, value.port)} (revnat=${unswapped(value.revNatId)})`;
}

const POLICY_STATIC_BITS = 40;

/** Ports and protocol of a policy key: `53/UDP`, `8000-8007/TCP`, `TCP` or `ANY`. */
export function portProtocolText({
  prefixLength,
  protocol,
  port,
}: Pick<Of<typeof s.policyKey>, 'prefixLength' | 'protocol' | 'port'>): string {
  const bits = prefixLength - POLICY_STATIC_BITS;
  const name = protocolName(protocol);
  if (bits === 0 || bits === 8) return name;
  if (bits === 24) return `${port}/${name}`;
  if (bits > 8 && bits < 24) return `${port}-${port + (0xffff >> (bits - 8))}/${name}`;
  return `<INVALID PREFIX LENGTH: ${bits}>`;
}
