import { atLeast, type Release } from './release.ts';

/** A component's state (Ok, Warning, Failure, Disabled, or what a newer agent says) and its message. */
export interface ComponentState {
  state: string;
  message: string;
}

/** What an agent says of itself. An absent part is undefined; a missing scalar is its type's zero value. */
export interface AgentStatus {
  /** The release that the answer is rendered like: the nearest one that the toolkit knows. */
  release: Release;
  /** The release that the agent names itself, when the toolkit does not know it yet and takes it for the newest. */
  newer?: Release;
  /** A version on the way to its release, which may lack parts of it. */
  development: boolean;
  kvstore?: ComponentState;
  authCertificates?: ComponentState;
  containerRuntime?: ComponentState;
  kubernetes?: ComponentState & { apis: string[] };
  kubeProxy?: KubeProxyStatus;
  hostFirewall?: { mode: string; devices: string[] };
  srv6?: { enabled: boolean; encapMode: string };
  cniChaining?: string;
  cniFile?: ComponentState;
  cilium?: ComponentState;
  /** Probes that have not answered for long, with the time of their last answer. */
  stale?: [probe: string, since: string][];
  nodeMonitor?: { cpus: number; pages: number; pageSize: number; lost: number; unknown: number };
  healthDaemon?: ComponentState;
  ipam?: { status: string; allocations: [address: string, owner: string][] };
  clusterMesh?: { clusters: RemoteClusterStatus[]; globalServices: number };
  ipv4BigTcp?: BigTcpStatus;
  ipv6BigTcp?: BigTcpStatus;
  bandwidthManager?: { enabled: boolean; congestionControl: string; devices: string[] };
  hostRouting?: string;
  routing?: { network: string; tunnel: string; host: string };
  attachMode: string;
  deviceMode: string;
  configuredDeviceMode: string;
  masquerading?: MasqueradingStatus;
  clockSource?: { mode: string; hertz: number };
  controllers?: ControllerState[];
  proxy?: ProxyState;
  identityRange?: { min: number; max: number };
  hubble?: HubbleState;
  /** From 1.18 on; before, it is part of `hubble`. */
  hubbleMetrics?: ComponentState;
  bpfMaps?: { ratio: number; maps: { name: string; size: number }[] };
  encryption?: EncryptionState;
}

/** Whether an agent is of this release or a newer one, and was not built on the way to it. */
export function isReleased({ release, development }: AgentStatus, first: Release): boolean {
  return atLeast(release, first) && !(development && release === first);
}

export interface KubeProxyStatus {
  mode: string;
  /** Agents of 1.9 have no addresses here. */
  devices: { name: string; addresses?: string[] }[];
  /** Length of the list of names that older agents had instead. */
  legacyDevices: number;
  directRoutingDevice: string;
  features: KubeProxyFeatures;
}

export interface KubeProxyFeatures {
  annotations: string[];
  socketLbHostNamespaceOnly: boolean;
  externalIps: boolean;
  gracefulTermination: boolean;
  hostPort: boolean;
  /** 1.9: protocols of socket load-balancing; empty when it is off. */
  hostReachable: string[];
  nat46x64: { enabled: boolean; services: boolean; gateway: boolean; prefixes: string[] };
  nodePort: {
    enabled: boolean;
    acceleration: string;
    algorithm: string;
    dsrMode: string;
    lutSize: number;
    mode: string;
    portMin: number;
    portMax: number;
  };
  sessionAffinity: boolean;
  socketLb: boolean;
  socketLbTracing: boolean;
}

export interface RemoteClusterStatus {
  name: string;
  ready: boolean;
  /** False too with agents that do not say it. */
  connected: boolean;
  status: string;
  nodes: number;
  endpoints: number;
  identities: number;
  services: number;
  /** From 1.20 on. */
  endpointSlices: number;
  serviceExports: number;
  failures: number;
  lastFailure: string;
  config?: {
    required: boolean;
    retrieved: boolean;
    clusterId: number;
    kvstoreMesh: boolean;
    syncCanaries: boolean;
    /** Empty where only services are exported, and before 1.20. */
    endpointSliceMode: string;
    /** undefined: the remote cluster does not know of them. */
    serviceExports?: boolean;
  };
  synced?: {
    nodes: boolean;
    endpoints: boolean;
    identities: boolean;
    services: boolean;
    /** From 1.20 on, where they are exported. */
    endpointSlices?: boolean;
    serviceExports?: boolean;
  };
}

export interface BigTcpStatus {
  enabled: boolean;
  maxGro: number;
  maxGso: number;
}

export interface MasqueradingStatus {
  enabled: boolean;
  /** Undefined: the agent only says whether, not for which family. */
  protocols?: { ipv4: boolean; ipv6: boolean };
  ipMasqAgent: boolean;
  mode: string;
  /** Up to 1.10 there is one, whatever its family. */
  exclusionV4: string;
  exclusionV6: string;
}

/** A controller that has run; those that have not are counted but have nothing to show. */
export interface ControllerState {
  name: string;
  run?: {
    consecutiveFailures: number;
    lastFailureMessage: string;
    lastFailure: string;
    lastSuccess: string;
  };
}

export interface ProxyState {
  ip: string;
  ports: string;
  envoy: string;
  total: number;
  redirects: { proxy: string; name: string; port: number }[];
}

export interface HubbleState extends ComponentState {
  observer?: { current: number; max: number; seen: number; uptime: string };
  metrics?: ComponentState;
}

export interface EncryptionState {
  mode: string;
  message: string;
  ipsec?: {
    decryptInterfaces: string[];
    keysInUse: number;
    maxSequenceNumber: string;
    errorCount: number;
    errors: [name: string, count: number][];
  };
  wireguard?: WireguardState;
}

export interface WireguardState {
  nodeEncryption: string;
  interfaces: {
    name: string;
    publicKey: string;
    port: number;
    peerCount: number;
    peers: {
      publicKey: string;
      endpoint: string;
      lastHandshake: string;
      allowedIps: string[];
      received: number;
      sent: number;
    }[];
  }[];
}

/** The reference's own rule: only the state of the Cilium component decides the exit code. */
export function isUp({ cilium }: AgentStatus): boolean {
  return !cilium || cilium.state === 'Ok' || cilium.state === 'Disabled';
}
