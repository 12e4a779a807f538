import { parsePrefix } from '../../lib/address.ts';
import type { Release } from '../../model/release.ts';
import { agentRelease, plays } from '../version.ts';
import { takenAddresses } from '../world/ipam.ts';
import type { Agent, FlowCounts } from './agent.ts';
import { allControllers } from './controllers.ts';
import { PROXY_PORT } from './maps.ts';

const MAP_SIZES: readonly [string, number][] = [
  ['Auth', 524_288],
  ['Non-TCP connection tracking', 110_861],
  ['TCP connection tracking', 221_723],
  ['Endpoints', 65_535],
  ['IP cache', 512_000],
  ['IPv4 masquerading agent', 16_384],
  ['IPv4 fragmentation', 8192],
  ['IPv4 service', 65_536],
  ['IPv6 service', 65_536],
  ['IPv4 service backend', 65_536],
  ['IPv6 service backend', 65_536],
  ['IPv4 service reverse NAT', 65_536],
  ['IPv6 service reverse NAT', 65_536],
  ['Metrics', 1024],
  ['Ratelimit metrics', 64],
  ['NAT', 221_723],
  ['Neighbor table', 221_723],
  ['Endpoint policy', 16_384],
  ['Policy stats', 65_536],
  ['Session affinity', 65_536],
  ['Sock reverse NAT', 110_861],
];

/** What `status --brief` asks for. */
export function briefStatus(agent: Agent) {
  const { cilium, cluster, controllers } = fullStatus(agent);
  return { cilium, cluster, controllers };
}

/** GET /healthz. What the scenario says about a part goes over what follows from the rest. */
export function fullStatus(agent: Agent) {
  const { self, scenario, cluster } = agent.world;
  const ipv6 = self.ipv6 !== undefined;
  const release = agentRelease(agent.version);
  const derived = {
    'attach-mode': 'tcx',
    'auth-certificate-provider': { state: 'Disabled' },
    'bandwidth-manager': { devices: null },
    'bpf-maps': {
      'dynamic-size-ratio': 0.0025,
      maps: MAP_SIZES.map(([name, size]) => ({ name, size })),
    },
    cilium: { state: 'Ok', msg: `${release} (v${release}-${agent.version})` },
    'clock-source': { mode: 'ktime' },
    cluster: { ciliumHealth: { state: 'Ok' }, nodes: null, self: self.fullName },
    'cni-chaining': { mode: 'none' },
    'cni-file': {
      state: 'Ok',
      msg: 'successfully wrote CNI configuration file to /host/etc/cni/net.d/05-cilium.conflist',
    },
    'configured-datapath-mode': 'veth',
    'container-runtime': { state: 'Ok', msg: 'containerd' },
    controllers: allControllers(agent),
    'datapath-mode': 'veth',
    encryption: { mode: 'Disabled' },
    'host-firewall': { mode: 'Disabled', devices: ['eth0'] },
    ...(!plays(agent.version, '1.17') && { 'host-routing': { mode: 'BPF' } }),
    hubble: hubbleStatus(agent.flowCounts?.()),
    'hubble-metrics': { state: 'Disabled' },
    'identity-range': {
      'min-identity': cluster.id * 65_536 || 256,
      'max-identity': cluster.id * 65_536 + 65_535,
    },
    ipam: ipamStatus(agent),
    'ipv4-big-tcp': { enabled: false, maxGRO: 65_536, maxGSO: 65_536 },
    'ipv6-big-tcp': { enabled: false, maxGRO: 65_536, maxGSO: 65_536 },
    'kube-proxy-replacement': kubeProxyReplacement(agent),
    kubernetes: {
      state: 'Ok',
      msg: '1.35 (v1.35.0) [linux/amd64]',
      'k8s-api-versions': [
        'cilium/v2::CiliumClusterwideNetworkPolicy',
        'cilium/v2::CiliumEndpoint',
        'cilium/v2::CiliumNetworkPolicy',
        'cilium/v2::CiliumNode',
        'core/v1::Pods',
        'networking.k8s.io/v1::NetworkPolicy',
      ],
    },
    kvstore: { state: 'Disabled' },
    masquerading: {
      enabled: true,
      enabledProtocols: { ipv4: true, ipv6 },
      mode: 'BPF',
      'snat-exclusion-cidr': self.podCIDR,
      'snat-exclusion-cidr-v4': self.podCIDR,
      ...(self.podCIDR6 && { 'snat-exclusion-cidr-v6': self.podCIDR6 }),
    },
    nodeMonitor: { cpus: 2, npages: agent.state.config.monitorPages, pagesize: 4096 },
    proxy: proxyStatus(agent),
    routing: {
      'inter-host-routing-mode': 'Tunnel',
      'intra-host-routing-mode': 'BPF',
      'tunnel-protocol': 'vxlan',
    },
    srv6: { enabled: false, srv6EncapMode: 'reduced' },
  };
  return mergeOver(ofRelease(derived, agent), scenario.status ?? {});
}

/** The parts that came with a release which the description of the API does not tell from its neighbours. */
const SINCE: Readonly<Record<string, Release>> = {
  encryption: '1.10',
  'cni-chaining': '1.12',
  'identity-range': '1.12',
  'cni-file': '1.13',
  'ipv6-big-tcp': '1.13',
  'ipv4-big-tcp': '1.14',
  srv6: '1.15',
  'attach-mode': '1.16',
  'datapath-mode': '1.16',
  routing: '1.16',
  'hubble-metrics': '1.18',
  'configured-datapath-mode': '1.20',
};

function ofRelease<T extends object>(status: T, { version }: Agent): T {
  if (version === 'all') return status;
  const parts = Object.entries(status).filter(([name]) => plays(version, SINCE[name] ?? version));
  return Object.fromEntries(parts) as T;
}

/** The second over the first, objects field by field. */
function mergeOver<T extends object>(base: T, over: object): T {
  const merged: Record<string, unknown> = Object.fromEntries(Object.entries(base));
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isPlain(below) && isPlain(value) ? mergeOver(below, value) : value;
  }
  return merged as T;
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function proxyStatus(agent: Agent) {
  const redirects = agent.state.endpoints.flatMap((endpoint) => {
    const { policy } = agent.realized(endpoint.id);
    return (['ingress', 'egress'] as const).flatMap((direction) =>
      policy[direction].redirects.map(({ protocol, port, parser }) => ({
        name: `${endpoint.id}:${direction}:${protocol}:${port}:`,
        proxy: `cilium-${parser}-${direction}`,
        'proxy-port': PROXY_PORT,
      })),
    );
  });
  return {
    'envoy-deployment-mode': 'embedded',
    ip: agent.world.self.router.ipv4,
    'port-range': '10000-20000',
    redirects,
    'total-ports': redirects.length > 0 ? 1 : 0,
    'total-redirects': redirects.length,
  };
}

function hubbleStatus(counts: FlowCounts | undefined) {
  if (!counts) return { state: 'Disabled' };
  return {
    state: 'Ok',
    observer: {
      'current-flows': counts.current,
      'max-flows': counts.max,
      'seen-flows': counts.seen,
      uptime: `${(counts.uptimeMs / 1000).toFixed(3)}s`,
    },
  };
}

function ipamStatus(agent: Agent) {
  const { self } = agent.world;
  const taken = takenAddresses(agent.state, agent.world);
  const ipv4 = [...taken.keys()].filter((ip) => !ip.includes(':'));
  const ipv6 = [...taken.keys()].filter((ip) => ip.includes(':'));
  const part = (family: string, used: number, cidr: string) =>
    `${family}: ${used}/${capacity(cidr)} allocated from ${cidr}, `;
  return {
    allocations: Object.fromEntries(taken),
    ipv4,
    ipv6,
    status: `${part('IPv4', ipv4.length, self.podCIDR)}${self.podCIDR6 ? part('IPv6', ipv6.length, self.podCIDR6) : ''}`,
  };
}

function capacity(cidr: string): string {
  const prefix = parsePrefix(cidr);
  return prefix ? String(prefix.last - prefix.first - 1n) : '0';
}

function kubeProxyReplacement(agent: Agent) {
  return {
    mode: 'True',
    devices: ['eth0'],
    deviceList: [{ name: 'eth0', ip: [agent.world.self.ipv4] }],
    directRoutingDevice: 'eth0',
    // Fields that a release does not have are left out with the rest of what its API lacks.
    features: {
      ...(!plays(agent.version, '1.13') && {
        hostReachableServices: { enabled: true, protocols: ['TCP', 'UDP'] },
      }),
      ...(!plays(agent.version, '1.18') && { gracefulTermination: { enabled: true } }),
      annotations: [
        'service.cilium.io/node',
        'service.cilium.io/src-ranges-policy',
        'service.cilium.io/type',
      ],
      nat46X64: { gateway: {}, service: {} },
      socketLB: { enabled: true },
      socketLBTracing: { enabled: true },
      externalIPs: { enabled: true },
      hostPort: { enabled: true },
      nodePort: {
        acceleration: 'Disabled',
        algorithm: 'Random',
        enabled: true,
        mode: 'SNAT',
        portMin: 30_000,
        portMax: 32_767,
      },
      sessionAffinity: { enabled: true },
    },
  };
}
