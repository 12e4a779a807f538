import { compareBytes } from '../../lib/order.ts';
import { parseBuild, releaseOfStatus } from '../../model/release.ts';
import type {
  AgentStatus,
  BigTcpStatus,
  ComponentState,
  EncryptionState,
  KubeProxyFeatures,
  KubeProxyStatus,
  RemoteClusterStatus,
  WireguardState,
} from '../../model/status.ts';
import type { AgentClient } from '../client.ts';
import { type Answer, objectAnswer } from './answer.ts';
import { Reader } from './reader.ts';
import type {
  BPFMapProperties,
  ControllerStatus,
  EncryptionStatus,
  HubbleStatus,
  IPV4BigTCP,
  KubeProxyReplacement,
  Masquerading,
  ProxyStatus,
  RemoteCluster,
  Status,
  StatusResponse,
  WireguardStatus,
} from './types.gen.ts';

/** What `GET /healthz` is asked for. */
export interface StatusQuery {
  brief: boolean;
  /** Agents before 1.18 do not look at it; undefined leaves the header out. */
  requireK8sConnectivity?: boolean;
  timeoutMs?: number;
}

/** Asks the agent how it is. */
export function readStatus(agent: AgentClient, query: StatusQuery): Promise<Answer<AgentStatus>> {
  const asked = agent.get('/healthz', {
    headers: {
      brief: String(query.brief),
      ...(query.requireK8sConnectivity !== undefined && {
        'require-k8s-connectivity': String(query.requireK8sConnectivity),
      }),
    },
    timeoutMs: query.timeoutMs,
  });
  return objectAnswer(asked, 'StatusResponse', decodeStatus);
}

/** The same of what the agent's own command line printed. */
export function printedStatus(printed: unknown): Promise<Answer<AgentStatus>> {
  const reader = new Reader<StatusResponse>('cilium status -o json', printed);
  return objectAnswer(Promise.resolve(reader), 'StatusResponse', decodeStatus);
}

/** Reads a status: that of `GET /healthz`, or the one inside another answer. */
export function decodeStatus(r: Reader<StatusResponse>): AgentStatus {
  const health = r.at('cluster').at('ciliumHealth');
  const fields = r.as<Record<string, unknown>>();
  return {
    ...releaseOfStatus(r.at('cilium').text('msg'), (field) => fields.has(field)),
    development: parseBuild(r.at('cilium').text('msg'))?.development === true,
    kvstore: component(r.at('kvstore')),
    authCertificates: component(r.at('auth-certificate-provider')),
    containerRuntime: component(r.at('container-runtime')),
    kubernetes: part(r.at('kubernetes'), (k) => ({
      state: k.text('state'),
      message: k.text('msg'),
      apis: k.texts('k8s-api-versions').toSorted(compareBytes),
    })),
    kubeProxy: part(r.at('kube-proxy-replacement'), kubeProxy),
    hostFirewall: part(r.at('host-firewall'), (f) => ({ mode: f.text('mode'), devices: f.texts('devices') })),
    srv6: part(r.at('srv6'), (s) => ({ enabled: s.flag('enabled'), encapMode: s.text('srv6EncapMode') })),
    cniChaining: part(r.at('cni-chaining'), (c) => c.text('mode')),
    cniFile: component(r.at('cni-file')),
    cilium: stateOf(r.need('cilium')),
    stale: part(r.at('stale'), (s) => Object.entries(s.textMap()).toSorted(([a], [b]) => compareBytes(a, b))),
    nodeMonitor: part(r.at('nodeMonitor'), (m) => ({
      cpus: m.integer('cpus'),
      pages: m.integer('npages'),
      pageSize: m.integer('pagesize'),
      lost: m.integer('lost'),
      unknown: m.integer('unknown'),
    })),
    healthDaemon: component(health),
    ipam: part(r.at('ipam'), (i) => ({
      status: i.text('status'),
      allocations: Object.entries(i.at('allocations').textMap()),
    })),
    clusterMesh: part(r.at('cluster-mesh'), (m) => ({
      clusters: m.at('clusters').items().map(remoteCluster),
      globalServices: m.integer('num-global-services'),
    })),
    ipv4BigTcp: part(r.at('ipv4-big-tcp'), bigTcp),
    ipv6BigTcp: part(r.at('ipv6-big-tcp'), bigTcp),
    bandwidthManager: part(r.at('bandwidth-manager'), (b) => ({
      enabled: b.flag('enabled'),
      congestionControl: b.text('congestionControl'),
      devices: b.texts('devices'),
    })),
    hostRouting: part(r.at('host-routing'), (h) => h.text('mode')),
    routing: part(r.at('routing'), (o) => ({
      network: o.text('inter-host-routing-mode'),
      tunnel: o.text('tunnel-protocol'),
      host: o.text('intra-host-routing-mode'),
    })),
    attachMode: r.text('attach-mode'),
    deviceMode: r.text('datapath-mode'),
    configuredDeviceMode: r.text('configured-datapath-mode'),
    masquerading: part(r.at('masquerading'), masquerading),
    clockSource: part(r.at('clock-source'), (c) => ({ mode: c.text('mode'), hertz: c.integer('hertz') })),
    controllers: part(r.at('controllers'), (list) => list.items().map(controller)),
    proxy: part(r.at('proxy'), proxy),
    identityRange: part(r.at('identity-range'), (i) => ({
      min: i.integer('min-identity'),
      max: i.integer('max-identity'),
    })),
    hubble: part(r.at('hubble'), hubble),
    hubbleMetrics: component(r.at('hubble-metrics')),
    bpfMaps: part(r.at('bpf-maps'), (b) => ({
      ratio: b.number('dynamic-size-ratio'),
      maps: b.at('maps').items().map(mapSize),
    })),
    encryption: part(r.at('encryption'), encryption),
  };
}

function part<T, V>(reader: Reader<T>, read: (reader: Reader<T>) => V): V | undefined {
  return reader.present ? read(reader) : undefined;
}

function component(reader: Reader<Status>): ComponentState | undefined {
  return part(reader, stateOf);
}

function stateOf(r: Reader<Status>): ComponentState {
  return { state: r.text('state'), message: r.text('msg') };
}

function kubeProxy(r: Reader<KubeProxyReplacement>): KubeProxyStatus {
  return {
    mode: r.text('mode'),
    devices: r.has('deviceList')
      ? r
          .at('deviceList')
          .items()
          .map((d) => ({ name: d.text('name'), addresses: d.texts('ip') }))
      : r.texts('devices').map((name) => ({ name })),
    legacyDevices: r.texts('devices').length,
    directRoutingDevice: r.text('directRoutingDevice'),
    features: features(r.at('features')),
  };
}

function features(f: Reader<NonNullable<KubeProxyReplacement['features']>>): KubeProxyFeatures {
  const nodePort = f.at('nodePort');
  const nat = f.at('nat46X64');
  const reachable = f.at('hostReachableServices');
  return {
    annotations: f.texts('annotations'),
    socketLbHostNamespaceOnly: f.flag('bpfSocketLBHostnsOnly'),
    externalIps: f.at('externalIPs').flag('enabled'),
    gracefulTermination: f.at('gracefulTermination').flag('enabled'),
    hostPort: f.at('hostPort').flag('enabled'),
    hostReachable: reachable.flag('enabled') ? reachable.texts('protocols') : [],
    nat46x64: {
      enabled: nat.flag('enabled'),
      services: nat.at('service').flag('enabled'),
      gateway: nat.at('gateway').flag('enabled'),
      prefixes: nat.at('gateway').texts('prefixes'),
    },
    nodePort: {
      enabled: nodePort.flag('enabled'),
      acceleration: nodePort.text('acceleration'),
      algorithm: nodePort.text('algorithm'),
      dsrMode: nodePort.text('dsrMode'),
      lutSize: nodePort.integer('lutSize'),
      mode: nodePort.text('mode'),
      portMin: nodePort.integer('portMin'),
      portMax: nodePort.integer('portMax'),
    },
    sessionAffinity: f.at('sessionAffinity').flag('enabled'),
    socketLb: f.at('socketLB').flag('enabled'),
    socketLbTracing: f.at('socketLBTracing').flag('enabled'),
  };
}

/** Reads how a remote cluster is, of a status or of what KVStoreMesh prints. */
export function remoteCluster(r: Reader<RemoteCluster>): RemoteClusterStatus {
  return {
    name: r.text('name'),
    ready: r.flag('ready'),
    connected: r.flag('connected'),
    status: r.text('status'),
    nodes: r.integer('num-nodes'),
    endpoints: r.integer('num-endpoints'),
    identities: r.integer('num-identities'),
    services: r.integer('num-shared-services'),
    endpointSlices: r.integer('num-endpoint-slices'),
    serviceExports: r.integer('num-service-exports'),
    failures: r.integer('num-failures'),
    lastFailure: r.text('last-failure'),
    config: part(r.at('config'), (c) => ({
      required: c.flag('required'),
      retrieved: c.flag('retrieved'),
      clusterId: c.integer('cluster-id'),
      kvstoreMesh: c.flag('kvstoremesh'),
      syncCanaries: c.flag('sync-canaries'),
      endpointSliceMode: c.text('endpoint-slices-export-mode'),
      ...(c.has('service-exports-enabled') && { serviceExports: c.flag('service-exports-enabled') }),
    })),
    synced: part(r.at('synced'), (s) => ({
      nodes: s.flag('nodes'),
      endpoints: s.flag('endpoints'),
      identities: s.flag('identities'),
      services: s.flag('services'),
      ...(s.has('endpoint-slices') && { endpointSlices: s.flag('endpoint-slices') }),
      ...(s.has('service-exports') && { serviceExports: s.flag('service-exports') }),
    })),
  };
}

function bigTcp(r: Reader<IPV4BigTCP>): BigTcpStatus {
  return { enabled: r.flag('enabled'), maxGro: r.integer('maxGRO'), maxGso: r.integer('maxGSO') };
}

function masquerading(r: Reader<Masquerading>): AgentStatus['masquerading'] {
  return {
    enabled: r.flag('enabled'),
    protocols: part(r.at('enabledProtocols'), (p) => ({ ipv4: p.flag('ipv4'), ipv6: p.flag('ipv6') })),
    ipMasqAgent: r.flag('ip-masq-agent'),
    mode: r.text('mode'),
    exclusionV4: r.text('snat-exclusion-cidr-v4') || r.text('snat-exclusion-cidr'),
    exclusionV6: r.text('snat-exclusion-cidr-v6'),
  };
}

function controller(r: Reader<ControllerStatus>): NonNullable<AgentStatus['controllers']>[number] {
  return {
    name: r.text('name'),
    run: part(r.at('status'), (s) => ({
      consecutiveFailures: s.integer('consecutive-failure-count'),
      lastFailureMessage: s.text('last-failure-msg'),
      lastFailure: s.text('last-failure-timestamp'),
      lastSuccess: s.text('last-success-timestamp'),
    })),
  };
}

function proxy(r: Reader<ProxyStatus>): AgentStatus['proxy'] {
  return {
    ip: r.text('ip'),
    ports: r.text('port-range'),
    envoy: r.text('envoy-deployment-mode'),
    total: r.integer('total-redirects'),
    redirects: r
      .at('redirects')
      .items()
      .map((d) => ({ proxy: d.text('proxy'), name: d.text('name'), port: d.integer('proxy-port') })),
  };
}

function hubble(r: Reader<HubbleStatus>): AgentStatus['hubble'] {
  return {
    state: r.text('state'),
    message: r.text('msg'),
    observer: part(r.at('observer'), (o) => ({
      current: o.integer('current-flows'),
      max: o.integer('max-flows'),
      seen: o.integer('seen-flows'),
      uptime: o.text('uptime'),
    })),
    metrics: part(r.at('metrics'), (m) => ({ state: m.text('state'), message: '' })),
  };
}

function mapSize(r: Reader<BPFMapProperties>): { name: string; size: number } {
  return { name: r.text('name'), size: r.integer('size') };
}

/** Reads how a node encrypts, of a status or of what `encrypt status` prints. */
export function encryption(r: Reader<EncryptionStatus>): EncryptionState {
  return {
    mode: r.text('mode'),
    message: r.text('msg'),
    ipsec: part(r.at('ipsec'), (i) => ({
      decryptInterfaces: i.texts('decrypt-interfaces'),
      keysInUse: i.integer('keys-in-use'),
      maxSequenceNumber: i.text('max-seq-number'),
      errorCount: i.integer('error-count'),
      errors: i
        .at('xfrm-errors')
        .entries()
        .map(([name, count]): [string, number] => [name, count.asInteger()]),
    })),
    wireguard: part(r.at('wireguard'), wireguard),
  };
}

/** Reads the WireGuard part of an answer. */
export function wireguard(r: Reader<WireguardStatus>): WireguardState {
  return {
    nodeEncryption: r.text('node-encryption'),
    interfaces: r
      .at('interfaces')
      .items()
      .map((i) => ({
        name: i.text('name'),
        publicKey: i.text('public-key'),
        port: i.integer('listen-port'),
        peerCount: i.integer('peer-count'),
        peers: i
          .at('peers')
          .items()
          .map((p) => ({
            publicKey: p.text('public-key'),
            endpoint: p.text('endpoint'),
            lastHandshake: p.text('last-handshake-time'),
            allowedIps: p.texts('allowed-ips'),
            received: p.integer('transfer-rx'),
            sent: p.integer('transfer-tx'),
          })),
      })),
  };
}
