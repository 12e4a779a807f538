// Made by scripts/generate-agent-types.ts from schemas/agent-api.json. Do not edit.

export type Address = string;

export interface AddressPair {
  ipv4?: string;
  'ipv4-expiration-uuid'?: string;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ipv4-pool-name'?: string;
  ipv6?: string;
  'ipv6-expiration-uuid'?: string;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ipv6-pool-name'?: string;
}

export type AllocationMap = Record<string, string>;

/** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
export type AttachMode = 'tc' | 'tcx';

export interface BPFMap {
  cache?: BPFMapEntry[];
  path?: string;
}

export interface BPFMapEntry {
  'desired-action'?: string;
  key?: string;
  'last-error'?: string;
  value?: string;
}

export interface BPFMapList {
  maps?: BPFMap[];
}

export interface BPFMapProperties {
  name?: string;
  size?: number;
}

export interface BPFMapStatus {
  'dynamic-size-ratio'?: number;
  maps?: BPFMapProperties[];
}

export interface BackendAddress {
  ip: string;
  nodeName?: string;
  port?: number;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  preferred?: boolean;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  protocol?: string;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  state?: 'active' | 'terminating' | 'terminating-not-serving' | 'quarantined' | 'maintenance';
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  weight?: number;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  zone?: string;
}

export interface BandwidthManager {
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  congestionControl?: 'cubic' | 'bbr';
  devices?: string[];
  enabled?: boolean;
}

/** Only 1.19, 1.20. */
export interface BgpCapabilities {
  capabilities?: string;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpFamily {
  afi?: string;
  safi?: string;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpGracefulRestart {
  enabled?: boolean;
  'restart-time-seconds'?: number;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpNlri {
  base64?: string;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpPath {
  'age-nanoseconds'?: number;
  best?: boolean;
  family?: BgpFamily;
  nlri?: BgpNlri;
  'path-attributes'?: BgpPathAttribute[];
  stale?: boolean;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpPathAttribute {
  base64?: string;
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpPeer {
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'applied-hold-time-seconds'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'applied-keep-alive-time-seconds'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'configured-hold-time-seconds'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'configured-keep-alive-time-seconds'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'connect-retry-time-seconds'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ebgp-multihop-ttl'?: number;
  families?: BgpPeerFamilies[];
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'graceful-restart'?: BgpGracefulRestart;
  'local-asn'?: number;
  /** Only 1.19, 1.20. */
  'local-capabilities'?: BgpCapabilities[];
  /** Only 1.19, 1.20. */
  name?: string;
  'peer-address'?: string;
  'peer-asn'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'peer-port'?: number;
  /** Only 1.19, 1.20. */
  'remote-capabilities'?: BgpCapabilities[];
  'session-state'?: string;
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'tcp-password-enabled'?: boolean;
  'uptime-nanoseconds'?: number;
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpPeerFamilies {
  accepted?: number;
  advertised?: number;
  afi?: string;
  received?: number;
  safi?: string;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpRoute {
  neighbor?: string;
  paths?: BgpPath[];
  prefix?: string;
  'router-asn'?: number;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpRoutePolicy {
  name?: string;
  'router-asn'?: number;
  statements?: BgpRoutePolicyStatement[];
  type?: 'export' | 'import';
}

/** Only 1.19, 1.20. */
export type BgpRoutePolicyMatchType = 'any' | 'all' | 'invert';

/** Only 1.19, 1.20. */
export interface BgpRoutePolicyNeighborMatch {
  neighbors?: string[];
  type?: BgpRoutePolicyMatchType;
}

/** Only 1.18, 1.19, 1.20. */
export interface BgpRoutePolicyNexthopAction {
  self?: boolean;
  unchanged?: boolean;
}

/** Only 1.19, 1.20. */
export interface BgpRoutePolicyPrefix {
  cidr?: string;
  'prefix-len-max'?: number;
  'prefix-len-min'?: number;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpRoutePolicyPrefixMatch {
  /** Only 1.15, 1.16, 1.17, 1.18. */
  cidr?: string;
  /** Only 1.15, 1.16, 1.17, 1.18. */
  'prefix-len-max'?: number;
  /** Only 1.15, 1.16, 1.17, 1.18. */
  'prefix-len-min'?: number;
  /** Only 1.19, 1.20. */
  prefixes?: BgpRoutePolicyPrefix[];
  /** Only 1.19, 1.20. */
  type?: BgpRoutePolicyMatchType;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface BgpRoutePolicyStatement {
  'add-communities'?: string[];
  'add-large-communities'?: string[];
  /** Only 1.17, 1.18, 1.19, 1.20. */
  'match-families'?: BgpFamily[];
  'match-neighbors'?: BgpRoutePolicyNeighborMatch;
  'match-prefixes'?: BgpRoutePolicyPrefixMatch;
  /** Only 1.18, 1.19, 1.20. */
  nexthop?: BgpRoutePolicyNexthopAction;
  'route-action'?: 'none' | 'accept' | 'reject';
  'set-local-preference'?: number;
}

export interface CIDRList {
  list?: string[];
  revision?: number;
}

export interface CIDRPolicy {
  egress?: PolicyRule[];
  ingress?: PolicyRule[];
}

/** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface CNIChainingStatus {
  mode?: 'none' | 'aws-cni' | 'flannel' | 'generic-veth' | 'portmap';
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface CgroupContainerMetadata {
  'cgroup-id'?: number;
  'cgroup-path'?: string;
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface CgroupDumpMetadata {
  'pod-metadatas'?: CgroupPodMetadata[];
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface CgroupPodMetadata {
  containers?: CgroupContainerMetadata[];
  ips?: string[];
  name?: string;
  namespace?: string;
}

export interface ClockSource {
  hertz?: number;
  mode?: 'ktime' | 'jiffies';
}

export interface ClusterMeshStatus {
  clusters?: RemoteCluster[];
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
  'num-global-services'?: number;
}

export interface ClusterNodeStatus {
  'client-id'?: number;
  'nodes-added'?: NodeElement[];
  'nodes-removed'?: NodeElement[];
  self?: string;
}

export interface ClusterNodesResponse {
  nodes?: NodeElement[];
  self?: string;
}

export interface ClusterStatus {
  ciliumHealth?: Status;
  nodes?: NodeElement[];
  self?: string;
}

export type ConfigurationMap = Record<string, string>;

/** Only 1.20. */
export type ConfiguredDatapathMode = 'auto' | 'veth' | 'netkit' | 'netkit-l2';

export interface ControllerStatus {
  configuration?: {
    'error-retry'?: boolean;
    'error-retry-base'?: string;
    interval?: string;
  };
  name?: string;
  status?: {
    'consecutive-failure-count'?: number;
    'failure-count'?: number;
    'last-failure-msg'?: string;
    'last-failure-timestamp'?: string;
    'last-success-timestamp'?: string;
    'success-count'?: number;
  };
  uuid?: string;
}

export type ControllerStatuses = ControllerStatus[];

export interface DNSLookup {
  'endpoint-id'?: number;
  'expiration-time'?: string;
  fqdn?: string;
  ips?: string[];
  'lookup-time'?: string;
  source?: string;
  ttl?: number;
}

export interface DaemonConfiguration {
  spec?: DaemonConfigurationSpec;
  status?: DaemonConfigurationStatus;
}

export interface DaemonConfigurationSpec {
  options?: ConfigurationMap;
  'policy-enforcement'?: 'default' | 'always' | 'never';
}

export interface DaemonConfigurationStatus {
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  GROIPv4MaxSize?: number;
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  GROMaxSize?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  GSOIPv4MaxSize?: number;
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  GSOMaxSize?: number;
  addressing?: NodeAddressing;
  /** Only 1.20. */
  configuredDatapathMode?: ConfiguredDatapathMode;
  /** Only 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  daemonConfigurationMap?: Record<string, unknown>;
  datapathMode?: DatapathMode;
  /** Only 1.19, 1.20. */
  deviceHeadroom?: number;
  deviceMTU?: number;
  /** Only 1.19, 1.20. */
  deviceTailroom?: number;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
  'egress-multi-home-ip-rule-compat'?: boolean;
  /** Only 1.18, 1.19, 1.20. */
  enableBBRHostNamespaceOnly?: boolean;
  /** Only . */
  enablePacketizationLayerPMTUD?: boolean;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  enableRouteMTUForCNIChaining?: boolean;
  immutable?: ConfigurationMap;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  installUplinkRoutesForDelegatedIPAM?: boolean;
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  ipLocalReservedPorts?: string;
  'ipam-mode'?: string;
  /** Only 1.9, 1.10, 1.11. */
  ipvlanConfiguration?: IpvlanConfiguration;
  'k8s-configuration'?: string;
  'k8s-endpoint'?: string;
  kvstoreConfiguration?: KVstoreConfiguration;
  masquerade?: boolean;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  masqueradeProtocols?: {
    ipv4?: boolean;
    ipv6?: boolean;
  };
  nodeMonitor?: MonitorStatus;
  /** Only 1.19, 1.20. */
  packetizationLayerPMTUDMode?: string;
  realized?: DaemonConfigurationSpec;
  routeMTU?: number;
}

export type DatapathMode = 'veth' | 'netkit' | 'netkit-l2';

export interface DebugInfo {
  'cilium-memory-map'?: string;
  'cilium-nodemonitor-memory-map'?: string;
  'cilium-status'?: StatusResponse;
  'cilium-version'?: string;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  encryption?: {
    wireguard?: WireguardStatus;
  };
  'endpoint-list'?: Endpoint[];
  'environment-variables'?: string[];
  'kernel-version'?: string;
  policy?: Policy;
  'service-list'?: Service[];
  subsystem?: Record<string, string>;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface EncryptionStatus {
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  ipsec?: IPsecStatus;
  mode?: 'Disabled' | 'IPsec' | 'Wireguard' | 'Ztunnel';
  msg?: string;
  wireguard?: WireguardStatus;
}

export interface Endpoint {
  id?: number;
  spec?: EndpointConfigurationSpec;
  status?: EndpointStatus;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface EndpointBatchDeleteRequest {
  'container-id'?: string;
}

export interface EndpointChangeRequest {
  addressing?: AddressPair;
  'container-id'?: string;
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'container-interface-name'?: string;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19. */
  'container-name'?: string;
  /** Only 1.19, 1.20. */
  'container-netns-path'?: string;
  'datapath-configuration'?: EndpointDatapathConfiguration;
  'datapath-map-id'?: number;
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19. */
  'disable-legacy-identifiers'?: boolean;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19. */
  'docker-endpoint-id'?: string;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19. */
  'docker-network-id'?: string;
  'host-mac'?: string;
  id?: number;
  'interface-index'?: number;
  'interface-name'?: string;
  /** Only 1.20. */
  'is-secondary-interface'?: boolean;
  'k8s-namespace'?: string;
  'k8s-pod-name'?: string;
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'k8s-uid'?: string;
  labels?: Labels;
  mac?: string;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  'netns-cookie'?: string;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  'parent-interface-index'?: number;
  pid?: number;
  'policy-enabled'?: boolean;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  properties?: Record<string, unknown>;
  state: EndpointState;
  'sync-build-endpoint'?: boolean;
}

export interface EndpointConfigurationSpec {
  'label-configuration'?: LabelConfigurationSpec;
  options?: ConfigurationMap;
}

export interface EndpointConfigurationStatus {
  error?: Error;
  immutable?: ConfigurationMap;
  realized?: EndpointConfigurationSpec;
}

export interface EndpointDatapathConfiguration {
  /** Only 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'disable-sip-verification'?: boolean;
  'external-ipam'?: boolean;
  'install-endpoint-route'?: boolean;
  'require-arp-passthrough'?: boolean;
  'require-egress-prog'?: boolean;
  'require-routing'?: boolean;
}

export interface EndpointHealth {
  bpf?: EndpointHealthStatus;
  connected?: boolean;
  overallHealth?: EndpointHealthStatus;
  policy?: EndpointHealthStatus;
}

export type EndpointHealthStatus = 'OK' | 'Bootstrap' | 'Pending' | 'Warning' | 'Failure' | 'Disabled';

export interface EndpointIdentifiers {
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'cni-attachment-id'?: string;
  'container-id'?: string;
  'container-name'?: string;
  'docker-endpoint-id'?: string;
  'docker-network-id'?: string;
  'k8s-namespace'?: string;
  'k8s-pod-name'?: string;
  'pod-name'?: string;
}

export interface EndpointNetworking {
  addressing?: AddressPair[];
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'container-interface-name'?: string;
  'host-addressing'?: NodeAddressing;
  'host-mac'?: string;
  'interface-index'?: number;
  'interface-name'?: string;
  mac?: string;
}

export interface EndpointPolicy {
  'allowed-egress-identities'?: number[];
  'allowed-ingress-identities'?: number[];
  build?: number;
  'cidr-policy'?: CIDRPolicy;
  'denied-egress-identities'?: number[];
  'denied-ingress-identities'?: number[];
  id?: number;
  l4?: L4Policy;
  'policy-enabled'?: EndpointPolicyEnabled;
  'policy-revision'?: number;
}

export type EndpointPolicyEnabled = 'none' | 'ingress' | 'egress' | 'both' | 'audit-ingress' | 'audit-egress' | 'audit-both';

export interface EndpointPolicyStatus {
  'proxy-policy-revision'?: number;
  'proxy-statistics'?: ProxyStatistics[];
  realized?: EndpointPolicy;
  spec?: EndpointPolicy;
}

export type EndpointState = 'waiting-for-identity' | 'not-ready' | 'waiting-to-regenerate' | 'regenerating' | 'restoring' | 'ready' | 'disconnecting' | 'disconnected' | 'invalid';

export interface EndpointStatus {
  controllers?: ControllerStatuses;
  'external-identifiers'?: EndpointIdentifiers;
  health?: EndpointHealth;
  identity?: Identity;
  labels?: LabelConfigurationStatus;
  log?: EndpointStatusLog;
  namedPorts?: NamedPorts;
  networking?: EndpointNetworking;
  policy?: EndpointPolicyStatus;
  realized?: EndpointConfigurationSpec;
  state: EndpointState;
}

export interface EndpointStatusChange {
  code?: string;
  message?: string;
  state?: EndpointState;
  timestamp?: string;
}

export type EndpointStatusLog = EndpointStatusChange[];

export type Error = string;

export interface FrontendAddress {
  ip?: string;
  port?: number;
  protocol?: 'tcp' | 'udp' | 'any' | 'TCP' | 'UDP' | 'SCTP' | 'ANY';
  scope?: 'external' | 'internal';
}

export interface FrontendMapping {
  backends?: LRPBackend[];
  'frontend-address'?: FrontendAddress;
}

/** Only 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface HostFirewall {
  devices?: string[];
  mode?: 'Disabled' | 'Enabled';
}

/** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15. */
export interface HostRouting {
  mode?: 'BPF' | 'Legacy';
}

/** Only 1.18, 1.19, 1.20. */
export interface HubbleMetricsStatus {
  msg?: string;
  state?: 'Ok' | 'Warning' | 'Failure' | 'Disabled';
}

export interface HubbleStatus {
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17. */
  metrics?: {
    state?: 'Ok' | 'Warning' | 'Failure' | 'Disabled';
  };
  msg?: string;
  observer?: {
    'current-flows'?: number;
    'max-flows'?: number;
    'seen-flows'?: number;
    uptime?: string;
  };
  state?: 'Ok' | 'Warning' | 'Failure' | 'Disabled';
}

export interface IPAMAddressResponse {
  cidrs?: string[];
  'expiration-uuid'?: string;
  gateway?: string;
  'interface-number'?: string;
  ip?: string;
  'master-mac'?: string;
  /** Only 1.19, 1.20. */
  'skip-masquerade'?: boolean;
}

export interface IPAMResponse {
  address: AddressPair;
  'host-addressing': NodeAddressing;
  ipv4?: IPAMAddressResponse;
  ipv6?: IPAMAddressResponse;
}

export interface IPAMStatus {
  allocations?: AllocationMap;
  ipv4?: string[];
  ipv6?: string[];
  status?: string;
}

export interface IPListEntry {
  cidr: string;
  encryptKey?: number;
  hostIP?: string;
  identity: number;
  metadata?: IPListEntryMetadata;
}

export interface IPListEntryMetadata {
  name?: string;
  namespace?: string;
  source?: string;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface IPV4BigTCP {
  enabled?: boolean;
  maxGRO?: number;
  maxGSO?: number;
}

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface IPV6BigTCP {
  enabled?: boolean;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  maxGRO?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  maxGSO?: number;
}

/** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface IPsecStatus {
  'decrypt-interfaces'?: string[];
  'error-count'?: number;
  'keys-in-use'?: number;
  'max-seq-number'?: string;
  'xfrm-errors'?: Record<string, number>;
}

export interface Identity {
  id?: number;
  labels?: Labels;
  labelsSHA256?: string;
}

export interface IdentityEndpoints {
  identity?: Identity;
  refCount?: number;
}

/** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface IdentityRange {
  'max-identity'?: number;
  'min-identity'?: number;
}

/** Only 1.9, 1.10, 1.11. */
export interface IpvlanConfiguration {
  masterDeviceIndex?: number;
  operationMode?: 'L3' | 'L3S';
}

export interface K8sStatus {
  'k8s-api-versions'?: string[];
  msg?: string;
  state?: 'Ok' | 'Warning' | 'Failure' | 'Disabled';
}

export interface KVstoreConfiguration {
  options?: Record<string, string>;
  type?: string;
}

export interface KubeProxyReplacement {
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  deviceList?: Array<{
    ip?: string[];
    name?: string;
  }>;
  devices?: string[];
  directRoutingDevice?: string;
  features?: {
    /** Only 1.17, 1.18, 1.19, 1.20. */
    annotations?: string[];
    /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    bpfSocketLBHostnsOnly?: boolean;
    externalIPs?: {
      enabled?: boolean;
    };
    /** Only 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    gracefulTermination?: {
      enabled?: boolean;
    };
    hostPort?: {
      enabled?: boolean;
    };
    hostReachableServices?: {
      enabled?: boolean;
      protocols?: string[];
    };
    /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    nat46X64?: {
      enabled?: boolean;
      /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
      gateway?: {
        enabled?: boolean;
        prefixes?: string[];
      };
      /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
      service?: {
        enabled?: boolean;
      };
    };
    nodePort?: {
      acceleration?: 'None' | 'Native' | 'Generic' | 'Best-Effort' | 'Disabled';
      algorithm?: 'Random' | 'Maglev';
      /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
      dsrMode?: 'IP Option/Extension' | 'IPIP' | 'Geneve';
      enabled?: boolean;
      lutSize?: number;
      mode?: 'SNAT' | 'DSR' | 'Hybrid';
      portMax?: number;
      portMin?: number;
    };
    sessionAffinity?: {
      enabled?: boolean;
    };
    /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    socketLB?: {
      enabled?: boolean;
    };
    /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    socketLBTracing?: {
      enabled?: boolean;
    };
  };
  mode?: 'True' | 'False';
}

export interface L4Policy {
  egress?: PolicyRule[];
  ingress?: PolicyRule[];
}

export interface LRPBackend {
  'backend-address'?: BackendAddress;
  'pod-id'?: string;
}

export interface LRPSpec {
  'frontend-mappings'?: FrontendMapping[];
  'frontend-type'?: string;
  'lrp-type'?: string;
  name?: string;
  namespace?: string;
  'service-id'?: string;
  uid?: string;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface Label {
  key?: string;
  source?: string;
  value?: string;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export type LabelArray = Label[];

export interface LabelConfiguration {
  spec?: LabelConfigurationSpec;
  status?: LabelConfigurationStatus;
}

export interface LabelConfigurationSpec {
  user?: Labels;
}

export interface LabelConfigurationStatus {
  derived?: Labels;
  disabled?: Labels;
  realized?: LabelConfigurationSpec;
  'security-relevant'?: Labels;
}

export type Labels = string[];

/** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface MapEvent {
  action?: 'update' | 'delete';
  'desired-action'?: string;
  key?: string;
  'last-error'?: string;
  timestamp?: string;
  value?: string;
}

export interface Masquerading {
  enabled?: boolean;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  enabledProtocols?: {
    ipv4?: boolean;
    ipv6?: boolean;
  };
  'ip-masq-agent'?: boolean;
  mode?: 'BPF' | 'iptables';
  'snat-exclusion-cidr'?: string;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'snat-exclusion-cidr-v4'?: string;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'snat-exclusion-cidr-v6'?: string;
}

export interface MessageForwardingStatistics {
  denied?: number;
  error?: number;
  forwarded?: number;
  received?: number;
}

export interface Metric {
  labels?: Record<string, string>;
  name?: string;
  value?: number;
}

export interface MonitorStatus {
  cpus?: number;
  lost?: number;
  npages?: number;
  pagesize?: number;
  unknown?: number;
}

export interface NameManager {
  DNSPollNames?: string[];
  FQDNPolicySelectors?: SelectorEntry[];
}

export type NamedPorts = Port[];

export interface NodeAddressing {
  ipv4?: NodeAddressingElement;
  ipv6?: NodeAddressingElement;
}

export interface NodeAddressingElement {
  'address-type'?: string;
  'alloc-range'?: string;
  enabled?: boolean;
  ip?: string;
}

export interface NodeElement {
  'health-endpoint-address'?: NodeAddressing;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ingress-address'?: NodeAddressing;
  name?: string;
  'primary-address'?: NodeAddressing;
  'secondary-addresses'?: NodeAddressingElement[];
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  source?: string;
}

/** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface NodeID {
  id: number;
  ips: string[];
}

export interface Policy {
  policy?: string;
  revision?: number;
}

export interface PolicyRule {
  'derived-from-rules'?: string[][];
  rule?: string;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'rules-by-selector'?: Record<string, string[][]>;
}

export interface PolicyTraceResult {
  log?: string;
  verdict?: string;
}

export interface Port {
  name?: string;
  port?: number;
  protocol?: 'TCP' | 'UDP' | 'SCTP' | 'ICMP' | 'ICMPV6' | 'ANY';
}

export interface Prefilter {
  spec?: PrefilterSpec;
  status?: PrefilterStatus;
}

export interface PrefilterSpec {
  deny?: string[];
  revision?: number;
}

export interface PrefilterStatus {
  realized?: PrefilterSpec;
}

export interface ProxyRedirect {
  name?: string;
  proxy?: string;
  'proxy-port'?: number;
}

export interface ProxyStatistics {
  'allocated-proxy-port'?: number;
  location?: 'ingress' | 'egress';
  port?: number;
  protocol?: string;
  statistics?: RequestResponseStatistics;
}

export interface ProxyStatus {
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'envoy-deployment-mode'?: 'embedded' | 'external';
  ip?: string;
  'port-range'?: string;
  redirects?: ProxyRedirect[];
  'total-ports'?: number;
  'total-redirects'?: number;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface Recorder {
  spec?: RecorderSpec;
  status?: RecorderStatus;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderFilter {
  'dst-port'?: string;
  'dst-prefix'?: string;
  protocol?: 'TCP' | 'UDP' | 'SCTP' | 'ANY';
  'src-port'?: string;
  'src-prefix'?: string;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderMask {
  status?: RecorderMaskStatus;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderMaskSpec {
  'dst-port-mask'?: string;
  'dst-prefix-mask'?: string;
  priority?: number;
  'protocol-mask'?: string;
  'src-port-mask'?: string;
  'src-prefix-mask'?: string;
  users?: number;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderMaskStatus {
  realized?: RecorderMaskSpec;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderSpec {
  'capture-length'?: number;
  filters: RecorderFilter[];
  id: number;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18. */
export interface RecorderStatus {
  realized?: RecorderSpec;
}

export interface RemoteCluster {
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  config?: RemoteClusterConfig;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  connected?: boolean;
  'last-failure'?: string;
  name?: string;
  /** Only 1.20. */
  'num-endpoint-slices'?: number;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'num-endpoints'?: number;
  'num-failures'?: number;
  'num-identities'?: number;
  'num-nodes'?: number;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  'num-service-exports'?: number;
  'num-shared-services'?: number;
  ready?: boolean;
  status?: string;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  synced?: RemoteClusterSynced;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface RemoteClusterConfig {
  'cluster-id'?: number;
  /** Only 1.20. */
  'endpoint-slices-export-mode'?: string;
  kvstoremesh?: boolean;
  required?: boolean;
  retrieved?: boolean;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  'service-exports-enabled'?: boolean;
  'sync-canaries'?: boolean;
}

/** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface RemoteClusterSynced {
  /** Only 1.20. */
  'endpoint-slices'?: boolean;
  endpoints?: boolean;
  identities?: boolean;
  nodes?: boolean;
  /** Only 1.17, 1.18, 1.19, 1.20. */
  'service-exports'?: boolean;
  services?: boolean;
}

export interface RequestResponseStatistics {
  requests?: MessageForwardingStatistics;
  responses?: MessageForwardingStatistics;
}

/** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface Routing {
  'inter-host-routing-mode'?: 'Native' | 'Tunnel';
  'intra-host-routing-mode'?: 'BPF' | 'Legacy';
  'tunnel-protocol'?: string;
}

export type SelectorCache = SelectorIdentityMapping[];

export interface SelectorEntry {
  regexString?: string;
  selectorString?: string;
}

export interface SelectorIdentityMapping {
  identities?: number[];
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  labels?: LabelArray;
  selector?: string;
  users?: number;
}

export interface Service {
  spec?: ServiceSpec;
  status?: ServiceStatus;
}

export interface ServiceSpec {
  'backend-addresses'?: BackendAddress[];
  flags?: {
    /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    cluster?: string;
    /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    extTrafficPolicy?: 'Cluster' | 'Local';
    healthCheckNodePort?: number;
    /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    intTrafficPolicy?: 'Cluster' | 'Local';
    name?: string;
    namespace?: string;
    /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
    natPolicy?: 'None' | 'Nat46' | 'Nat64';
    trafficPolicy?: 'Cluster' | 'Local';
    type?: 'ClusterIP' | 'NodePort' | 'ExternalIPs' | 'HostPort' | 'LoadBalancer' | 'LocalRedirect';
  };
  'frontend-address': FrontendAddress;
  id?: number;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  updateServices?: boolean;
}

export interface ServiceStatus {
  realized?: ServiceSpec;
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface Srv6 {
  enabled?: boolean;
  srv6EncapMode?: 'SRH' | 'Reduced' | 'reduced';
}

/** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface StateDBQuery {
  index?: string;
  key?: string;
  lowerbound?: boolean;
  table?: string;
}

export interface Status {
  msg?: string;
  state?: 'Ok' | 'Warning' | 'Failure' | 'Disabled';
}

export interface StatusResponse {
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  'attach-mode'?: AttachMode;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'auth-certificate-provider'?: Status;
  'bandwidth-manager'?: BandwidthManager;
  'bpf-maps'?: BPFMapStatus;
  cilium?: Status;
  'client-id'?: number;
  'clock-source'?: ClockSource;
  cluster?: ClusterStatus;
  'cluster-mesh'?: ClusterMeshStatus;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'cni-chaining'?: CNIChainingStatus;
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'cni-file'?: Status;
  /** Only 1.20. */
  'configured-datapath-mode'?: ConfiguredDatapathMode;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19. */
  'container-runtime'?: Status;
  controllers?: ControllerStatuses;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  'datapath-mode'?: DatapathMode;
  /** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  encryption?: EncryptionStatus;
  /** Only 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'host-firewall'?: HostFirewall;
  /** Only 1.9, 1.10, 1.11, 1.12, 1.13, 1.14, 1.15. */
  'host-routing'?: HostRouting;
  hubble?: HubbleStatus;
  /** Only 1.18, 1.19, 1.20. */
  'hubble-metrics'?: HubbleMetricsStatus;
  /** Only 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'identity-range'?: IdentityRange;
  ipam?: IPAMStatus;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ipv4-big-tcp'?: IPV4BigTCP;
  /** Only 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'ipv6-big-tcp'?: IPV6BigTCP;
  'kube-proxy-replacement'?: KubeProxyReplacement;
  kubernetes?: K8sStatus;
  kvstore?: Status;
  masquerading?: Masquerading;
  nodeMonitor?: MonitorStatus;
  proxy?: ProxyStatus;
  /** Only 1.16, 1.17, 1.18, 1.19, 1.20. */
  routing?: Routing;
  /** Only 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  srv6?: Srv6;
  stale?: Record<string, string>;
}

export interface TraceFrom {
  labels?: Labels;
}

export interface TraceSelector {
  from?: TraceFrom;
  to?: TraceTo;
  verbose?: boolean;
}

export interface TraceTo {
  dports?: Port[];
  labels?: Labels;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface WireguardInterface {
  'listen-port'?: number;
  name?: string;
  'peer-count'?: number;
  peers?: WireguardPeer[];
  'public-key'?: string;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface WireguardPeer {
  'allowed-ips'?: string[];
  endpoint?: string;
  'last-handshake-time'?: string;
  'public-key'?: string;
  'transfer-rx'?: number;
  'transfer-tx'?: number;
}

/** Only 1.10, 1.11, 1.12, 1.13, 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
export interface WireguardStatus {
  interfaces?: WireguardInterface[];
  /** Only 1.19, 1.20. */
  'node-encrypt-opt-out-labels'?: string;
  /** Only 1.14, 1.15, 1.16, 1.17, 1.18, 1.19, 1.20. */
  'node-encryption'?: string;
}

/** What a successful GET answers, by path. */
export interface GetAnswers {
  '/cluster/nodes': ClusterNodeStatus;
  '/healthz': StatusResponse;
  '/config': DaemonConfiguration;
  '/endpoint/{id}': Endpoint;
  '/endpoint': Endpoint[];
  '/endpoint/{id}/config': EndpointConfigurationStatus;
  '/endpoint/{id}/labels': LabelConfiguration;
  '/endpoint/{id}/log': EndpointStatusLog;
  '/endpoint/{id}/healthz': EndpointHealth;
  '/identity': Identity[];
  '/identity/{id}': Identity;
  '/identity/endpoints': IdentityEndpoints[];
  '/policy': Policy;
  '/policy/resolve': PolicyTraceResult;
  '/policy/selectors': SelectorCache;
  '/lrp': LRPSpec[];
  '/service': Service[];
  '/service/{id}': Service;
  '/prefilter': Prefilter;
  '/debuginfo': DebugInfo;
  '/map': BPFMapList;
  '/map/{name}': BPFMap;
  '/metrics/': Metric[];
  '/fqdn/cache': DNSLookup[];
  '/fqdn/cache/{id}': DNSLookup[];
  '/fqdn/names': NameManager;
  '/ip': IPListEntry[];
  '/recorder': Recorder[];
  '/recorder/masks': RecorderMask[];
  '/recorder/{id}': Recorder;
  '/cgroup-dump-metadata': CgroupDumpMetadata;
  '/map/{name}/events': string;
  '/node/ids': NodeID[];
  '/bgp/peers': BgpPeer[];
  '/bgp/routes': BgpRoute[];
  '/bgp/route-policies': BgpRoutePolicy[];
  '/policy/subject-selectors': SelectorCache;
}

/** What a successful PUT answers, by path. */
export interface PutAnswers {
  '/endpoint/{id}': Endpoint;
  '/policy': Policy;
  '/service/{id}': undefined;
  '/recorder/{id}': undefined;
}

/** What a successful POST answers, by path. */
export interface PostAnswers {
  '/ipam': IPAMResponse;
  '/ipam/{ip}': undefined;
}

/** What a successful PATCH answers, by path. */
export interface PatchAnswers {
  '/config': undefined;
  '/endpoint/{id}': undefined;
  '/endpoint/{id}/config': undefined;
  '/endpoint/{id}/labels': undefined;
  '/prefilter': Prefilter;
}

/** What a successful DELETE answers, by path. */
export interface DeleteAnswers {
  '/endpoint/{id}': undefined | number;
  '/endpoint': undefined | number;
  '/ipam/{ip}': undefined;
  '/policy': Policy;
  '/service/{id}': undefined;
  '/prefilter': Prefilter;
  '/fqdn/cache': undefined;
  '/recorder/{id}': undefined;
}
