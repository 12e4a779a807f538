import {
  type backend4,
  INTERNAL_SCOPE,
  type revNat4,
  SERVICE_FLAG,
  type SOCKETS4,
  SOURCE_RANGE_STATIC_BITS,
  type SOURCE_RANGES4,
  type serviceEntry,
  type serviceKey4,
} from '../../bpf/layouts/services.ts';
import type { RecordOf } from '../../bpf/layouts/struct.ts';
import { bracketed, joinHostPort } from '../../lib/address.ts';
import { swap16 } from '../../lib/uint.ts';
import { protocolName } from '../../model/protocol.ts';
import { atLeast, type Release } from '../../model/release.ts';
import { clusterSuffix, prefixText } from './parts.ts';

type Service = RecordOf<typeof serviceEntry>;
type ServiceKey = RecordOf<typeof serviceKey4>;
type Backend = Omit<RecordOf<typeof backend4>, 'clusterId' | 'zone'> & { clusterId?: number; zone?: number };
type SourceRange = (typeof SOURCE_RANGES4)['variants'][number];
type Socket = (typeof SOCKETS4)['variants'][number];

/** `/TCP`, since 1.17. */
function protocolSuffix(protocol: number, release: Release): string {
  return atLeast(release, '1.17') ? `/${protocolName(protocol)}` : '';
}

/** `10.96.0.1:443/TCP (0)`. Up to 1.12 the slot is not part of it. */
export function serviceKeyText(
  { address, port, protocol, scope, slot }: ServiceKey,
  release: Release,
): string {
  const internal = scope === INTERNAL_SCOPE ? '/i' : '';
  const place = atLeast(release, '1.13') ? ` (${slot})` : '';
  return `${joinHostPort(address, port)}${protocolSuffix(protocol, release)}${internal}${place}`;
}

/** The raw service entry, as `bpf lb list --frontends` shows it. */
export function serviceText(
  { word, count, quarantined, revNatId, flags }: Service,
  release: Release,
): string {
  const [low, high] = [(flags & 0xff).toString(16), (flags >> 8).toString(16)];
  if (!atLeast(release, '1.12')) return `${word} (${revNatId}) [FLAGS: 0x${low}]`;
  const aside = atLeast(release, '1.17-dev') ? `[${quarantined}]` : '';
  return `${word} ${count}${aside} (${revNatId}) [0x${low} 0x${high}]`;
}

/** What `bpf lb list` says about a frontend: its flags, and the proxy's port for L7 services. */
export function frontendText(key: ServiceKey, { word, revNatId, flags }: Service, release: Release): string {
  const any = key.address.includes(':') ? '[::]' : '0.0.0.0';
  const proxy = flags & SERVICE_FLAG.l7 ? `(L7LB Proxy Port: ${swap16(word & 0xffff)})` : '';
  const words = serviceFlagWords(flags, release).join(', ');
  if (!atLeast(release, '1.13')) return `${any}:0 (${revNatId})${slotText(0, release)} [${words}]`;
  return `${any}:0 (${revNatId}) (0) [${words}] ${proxy}`;
}

/** ` (1)`; up to 1.11 the slot is not printed. */
function slotText(slot: number, release: Release): string {
  return atLeast(release, '1.12') ? ` (${slot})` : '';
}

/** What `bpf lb list` says about one backend of a service. */
export function serviceBackendText(
  key: ServiceKey,
  service: Service,
  backend: Pick<Backend, 'address' | 'port' | 'protocol' | 'clusterId'> | undefined,
  release: Release,
): string {
  if (!backend) return `backend ${service.word} not found`;
  // Since 1.18 the address is told with the number of its cluster.
  const cluster = atLeast(release, '1.18') ? clusterSuffix(backend.clusterId ?? 0) : '';
  const address = `${backend.address}${cluster}`;
  const host = key.address.includes(':') ? `[${address}]` : address;
  return `${host}:${backend.port}${protocolSuffix(backend.protocol, release)} (${service.revNatId})${slotText(key.slot, release)}`;
}

/**
 * As the reference prints a backend: without its port since 1.13. The zone has a name only in the agent's flags.
 */
export function backendText(
  { protocol, address, port, clusterId = 0, zone = 0 }: Backend,
  release: Release,
): string {
  const name = protocolName(protocol);
  if (!atLeast(release, '1.13-dev')) return `${name}://${joinHostPort(address, port)}`;
  return `${name}://${address}${clusterSuffix(clusterId)}${zone === 0 ? '' : `[${zone}]`}`;
}

/** `10.96.0.1:443` of a reverse NAT entry. */
export function addressText({ address, port }: RecordOf<typeof revNat4>): string {
  return joinHostPort(address, port);
}

/** Key of `bpf lb list --source-ranges`. */
export function sourceRangeText({ ip, prefixLength, revNatId }: RecordOf<SourceRange['key']>): string {
  return `${prefixText(ip, prefixLength - SOURCE_RANGE_STATIC_BITS)} (${revNatId})`;
}

/** `backend -> frontend` of a socket's reverse translation. The reference prints ports as signed, unswapped numbers. */
export function socketNatText(key: RecordOf<Socket['key']>, value: RecordOf<Socket['value']>): string {
  const signed = (port: number) => (swap16(port) << 16) >> 16;
  const side = (address: string, port: number) => `${bracketed(address)}:${signed(port)}`;
  return `${side(key.address, key.port)} -> ${side(value.address, value.port)} (revnat=${swap16(value.revNatId)})`;
}

/** Flags of a service entry: name of its type first, as `bpf lb list` shows them. */
function serviceFlagWords(flags: number, release: Release): string[] {
  const has = (flag: keyof typeof SERVICE_FLAG) => (flags & SERVICE_FLAG[flag]) !== 0;
  const type = serviceType(has);
  // The bits that are used for two things are since 1.18.
  const both = atLeast(release, '1.18');
  const denies = both && has('sourceRange') && has('quarantinedOrDeny');
  const words: [string, boolean][] = [
    [type, true],
    ['Local', has('localScope')],
    ['InternalLocal', has('internalLocal')],
    ['two-scopes', has('twoScopes')],
    ['sessionAffinity', has('affinity')],
    ['non-routable', !has('routable')],
    ['check source-range', has('sourceRange')],
    ['deny', denies],
    ['46x64', has('nat46x64')],
    ['l7-load-balancer', has('l7')],
    [!both || type === 'HostPort' ? 'loopback' : 'delegate-if-local', has('loopbackOrDelegate')],
    ['quarantined', has('quarantinedOrDeny') && !denies],
    ['dsr', has('dsr')],
  ];
  return words.filter(([, set]) => set).map(([word]) => word);
}

function serviceType(has: (flag: keyof typeof SERVICE_FLAG) => boolean): string {
  if (has('externalIps')) return 'ExternalIPs';
  if (has('nodePort')) return 'NodePort';
  if (has('loadBalancer')) return 'LoadBalancer';
  if (has('hostPort')) return 'HostPort';
  if (has('localRedirect')) return 'LocalRedirect';
  return 'ClusterIP';
}
