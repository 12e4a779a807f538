import { PROTOCOL_NUMBER } from '../../model/protocol.ts';

/** Number of a protocol by its name (any case) or number; undefined when it is neither. */
export function protocolNumber(text: string): number | undefined {
  if (/^\d{1,3}$/.test(text)) return Number(text) < 256 ? Number(text) : undefined;
  const found = Object.entries(PROTOCOL_NUMBER).find(([name]) => name.toLowerCase() === text.toLowerCase());
  return found?.[1];
}

export function authTypeName(type: number): string {
  return ['disabled', 'spire', 'test-always-fail'][type] ?? `Unknown-auth-type-${type}`;
}

export function directionName(direction: number): string {
  return ['Ingress', 'Egress'][direction] ?? 'Unknown';
}

const METRIC_DIRECTIONS = ['UNKNOWN', 'INGRESS', 'EGRESS', 'SERVICE'];

export function metricDirectionName(direction: number): string {
  return METRIC_DIRECTIONS[direction] ?? 'UNKNOWN';
}

const IPCACHE_FLAGS = ['skiptunnel', 'hastunnel', 'ipv6tunnel', 'remotecluster'];

/** Words of an ipcache entry's flags, `<none>` for none. */
export function ipcacheFlagWords(flags: number): string {
  const words = IPCACHE_FLAGS.filter((_, bit) => (flags >> bit) & 1);
  return words.length === 0 ? '<none>' : words.join(',');
}

/** Flags of a service entry, the two bytes joined: name of its type first, as `bpf lb list` shows them. */
export function serviceFlagWords(flags: number): string[] {
  const has = (mask: number) => (flags & mask) !== 0;
  const type = serviceType(flags);
  const denies = has(0x0080) && has(0x4000);
  const words: [string, boolean][] = [
    [type, true],
    ['Local', has(0x0004)],
    ['InternalLocal', has(0x1000)],
    ['two-scopes', has(0x2000)],
    ['sessionAffinity', has(0x0010)],
    ['non-routable', !has(0x0040)],
    ['check source-range', has(0x0080)],
    ['deny', denies],
    ['46x64', has(0x0200)],
    ['l7-load-balancer', has(0x0400)],
    [type === 'HostPort' ? 'loopback' : 'delegate-if-local', has(0x0800)],
    ['quarantined', has(0x4000) && !denies],
    ['dsr', has(0x8000)],
  ];
  return words.filter(([, set]) => set).map(([word]) => word);
}

function serviceType(flags: number): string {
  if (flags & 0x0001) return 'ExternalIPs';
  if (flags & 0x0002) return 'NodePort';
  if (flags & 0x0020) return 'LoadBalancer';
  if (flags & 0x0008) return 'HostPort';
  if (flags & 0x0100) return 'LocalRedirect';
  return 'ClusterIP';
}

const RUNTIME_CONFIG = ['UTimeOffset', 'AgentLiveness'];

export function runtimeConfigName(index: number): string {
  return RUNTIME_CONFIG[index] ?? 'Unknown';
}
