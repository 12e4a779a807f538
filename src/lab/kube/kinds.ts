import { type ApiPlace, parseApiPath } from '../../cluster/api-request.ts';
import { type PrinterColumn, printerColumns } from '../../cluster/printer-columns.ts';

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

/** A kind by its name. */
export function kindNamed(name: string): Kind {
  const found = KINDS.find(({ kind }) => kind === name);
  if (!found) throw new Error(`no kind ${name}`);
  return found;
}

const AGE: PrinterColumn = { name: 'Age', path: '{.metadata.creationTimestamp}', isDate: true };

/** The columns of Kubernetes' own kinds beside the name. */
const COLUMNS: Readonly<Record<string, readonly PrinterColumn[]>> = {
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
};

/** The columns of a kind beside the name. */
export function columnsOf({ plural }: Kind): readonly PrinterColumn[] {
  return COLUMNS[plural] ?? printerColumns(plural);
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

/** What a path of the API names, of the kinds of the lab. */
export interface Place extends Pick<ApiPlace, 'namespace' | 'name' | 'subresource'> {
  kind: Kind;
}

/** The place that a path names; undefined when it names no kind of the lab's. */
export function placeOf(path: string): Place | undefined {
  const place = parseApiPath(path);
  const kind = KINDS.find((one) => one.apiVersion === place?.apiVersion && one.plural === place.plural);
  return place && kind && { ...place, kind };
}
