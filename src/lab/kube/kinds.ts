/** A kind of objects that the lab's API serves. */
export interface Kind {
  /** `v1`, or `group/version`. */
  apiVersion: string;
  plural: string;
  kind: string;
  namespaced: boolean;
}

const of = (apiVersion: string, namespaced: boolean, kinds: Readonly<Record<string, string>>): Kind[] =>
  Object.entries(kinds).map(([plural, kind]) => ({ apiVersion, plural, kind, namespaced }));

/** All kinds, as the API servers of today and Cilium 1.20 call them. */
export const KINDS: readonly Kind[] = [
  ...of('v1', false, { namespaces: 'Namespace', nodes: 'Node' }),
  ...of('v1', true, {
    pods: 'Pod',
    services: 'Service',
    configmaps: 'ConfigMap',
    secrets: 'Secret',
    events: 'Event',
    endpoints: 'Endpoints',
    serviceaccounts: 'ServiceAccount',
  }),
  ...of('apps/v1', true, {
    daemonsets: 'DaemonSet',
    deployments: 'Deployment',
    statefulsets: 'StatefulSet',
    replicasets: 'ReplicaSet',
    controllerrevisions: 'ControllerRevision',
  }),
  ...of('discovery.k8s.io/v1', true, { endpointslices: 'EndpointSlice' }),
  ...of('networking.k8s.io/v1', true, { networkpolicies: 'NetworkPolicy' }),
  ...of('cilium.io/v2', true, {
    ciliumnetworkpolicies: 'CiliumNetworkPolicy',
    ciliumendpoints: 'CiliumEndpoint',
    ciliumlocalredirectpolicies: 'CiliumLocalRedirectPolicy',
    ciliumnodeconfigs: 'CiliumNodeConfig',
  }),
  ...of('cilium.io/v2', false, {
    ciliumclusterwidenetworkpolicies: 'CiliumClusterwideNetworkPolicy',
    ciliumidentities: 'CiliumIdentity',
    ciliumnodes: 'CiliumNode',
    ciliumegressgatewaypolicies: 'CiliumEgressGatewayPolicy',
    ciliumloadbalancerippools: 'CiliumLoadBalancerIPPool',
    ciliumcidrgroups: 'CiliumCIDRGroup',
    ciliumbgpclusterconfigs: 'CiliumBGPClusterConfig',
    ciliumbgppeerconfigs: 'CiliumBGPPeerConfig',
    ciliumbgpadvertisements: 'CiliumBGPAdvertisement',
    ciliumbgpnodeconfigs: 'CiliumBGPNodeConfig',
  }),
  ...of('cilium.io/v2alpha1', false, {
    ciliuml2announcementpolicies: 'CiliumL2AnnouncementPolicy',
    ciliumendpointslices: 'CiliumEndpointSlice',
  }),
];

/** A column of a list, as the definition of a kind has it. */
export interface Column {
  name: string;
  path: string;
  isDate?: boolean;
  /** Of several values the first is shown. */
  isFirst?: boolean;
  isWide?: boolean;
}

const AGE: Column = { name: 'Age', path: '{.metadata.creationTimestamp}', isDate: true };

/** The columns of Cilium's kinds beside the name, as their definitions of 1.20 have them; of the others only the age. */
const COLUMNS: Readonly<Record<string, readonly Column[]>> = {
  pods: [
    { name: 'Status', path: '{.status.phase}' },
    AGE,
    { name: 'IP', path: '{.status.podIP}', isWide: true },
    { name: 'Node', path: '{.spec.nodeName}', isWide: true },
  ],
  services: [
    { name: 'Type', path: '{.spec.type}' },
    { name: 'Cluster-IP', path: '{.spec.clusterIP}' },
    { name: 'Port(s)', path: '{.spec.ports[*].port}' },
    AGE,
  ],
  deployments: [
    { name: 'Ready', path: '{.status.readyReplicas}' },
    { name: 'Up-to-date', path: '{.status.updatedReplicas}' },
    { name: 'Available', path: '{.status.availableReplicas}' },
    AGE,
  ],
  ciliumendpoints: [
    { name: 'Security Identity', path: '{.status.identity.id}' },
    { name: 'Ingress Enforcement', path: '{.status.policy.ingress.state}', isWide: true },
    { name: 'Egress Enforcement', path: '{.status.policy.egress.state}', isWide: true },
    { name: 'Endpoint State', path: '{.status.state}' },
    { name: 'IPv4', path: '{.status.networking.addressing[0].ipv4}' },
    { name: 'IPv6', path: '{.status.networking.addressing[0].ipv6}' },
  ],
  ciliumidentities: [
    { name: 'Namespace', path: '{.metadata.labels.io\\.kubernetes\\.pod\\.namespace}' },
    AGE,
  ],
  ciliumnodes: [
    { name: 'CiliumInternalIP', path: '{.spec.addresses[?(@.type=="CiliumInternalIP")].ip}' },
    { name: 'InternalIP', path: '{.spec.addresses[?(@.type=="InternalIP")].ip}', isFirst: true },
    AGE,
  ],
  ciliumnetworkpolicies: [AGE, { name: 'Valid', path: "{.status.conditions[?(@.type=='Valid')].status}" }],
  ciliumclusterwidenetworkpolicies: [
    { name: 'Valid', path: "{.status.conditions[?(@.type=='Valid')].status}" },
  ],
  ciliumloadbalancerippools: [
    { name: 'Disabled', path: '{.spec.disabled}' },
    { name: 'Conflicting', path: '{.status.conditions[?(@.type=="cilium.io/PoolConflict")].status}' },
    { name: 'IPs Available', path: '{.status.conditions[?(@.type=="cilium.io/IPsAvailable")].message}' },
    AGE,
  ],
};

/** The columns of a kind beside the name. */
export function columnsOf({ plural }: Kind): readonly Column[] {
  return COLUMNS[plural] ?? [AGE];
}

const SHORT: Readonly<Record<string, readonly string[]>> = {
  namespaces: ['ns'],
  nodes: ['no'],
  pods: ['po'],
  services: ['svc'],
  configmaps: ['cm'],
  daemonsets: ['ds'],
  deployments: ['deploy'],
  endpoints: ['ep'],
  serviceaccounts: ['sa'],
  replicasets: ['rs'],
  networkpolicies: ['netpol'],
  ciliumnetworkpolicies: ['cnp'],
  ciliumclusterwidenetworkpolicies: ['ccnp'],
  ciliumendpoints: ['cep'],
  ciliumidentities: ['ciliumid'],
  ciliumnodes: ['cn'],
  ciliumegressgatewaypolicies: ['cegp'],
  ciliumlocalredirectpolicies: ['clrp'],
};

/** What kubectl users call a kind for short. */
export function shortNames({ plural }: Kind): readonly string[] {
  return SHORT[plural] ?? [];
}

/** What a path of the API names. */
export interface Place {
  kind: Kind;
  /** Undefined means all namespaces, or that the kind has none. */
  namespace: string | undefined;
  /** Undefined means the collection. */
  name: string | undefined;
  /** `log`, `exec`, `portforward`, `status`. */
  subresource: string | undefined;
}

/** The place that a path names; undefined when it names no kind of the lab's. */
export function placeOf(path: string): Place | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map(decodeURIComponent);
  const root = parts.shift();
  const apiVersion = root === 'api' ? parts.shift() : root === 'apis' ? parts.splice(0, 2).join('/') : '';
  // A namespace is an object, and a place for others.
  const namespace = parts[0] === 'namespaces' && parts.length > 2 ? parts.splice(0, 2)[1] : undefined;
  const [plural, name, subresource] = parts;
  const kind = KINDS.find((one) => one.apiVersion === apiVersion && one.plural === plural);
  return kind && { kind, namespace, name, subresource };
}
