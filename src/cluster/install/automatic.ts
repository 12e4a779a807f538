import type { Flavour } from './flavour.ts';
import { nested, type Values, valueAt } from './set-values.ts';

/** How packets between nodes travel, as `--datapath-mode` names it. */
export const DATAPATH_MODES = ['tunnel', 'native', 'aws-eni', 'gke', 'azure', 'aks-byocni'] as const;
export type DatapathMode = (typeof DATAPATH_MODES)[number];

/** What the values of the user say of the datapath; undefined where they say nothing. */
export function datapathOfValues(values: Values): DatapathMode | undefined {
  const mode = valueAt(values, 'routingMode');
  return mode === 'native' || mode === 'tunnel' ? mode : undefined;
}

/** The datapath of a flavour. `hasAzureCni`: Azure's own network is on the nodes, so that they are not BYOCNI ones. */
export function datapathOfFlavour(flavour: Flavour | undefined, hasAzureCni: boolean): DatapathMode {
  if (flavour === 'EKS') return 'aws-eni';
  if (flavour === 'GKE') return 'gke';
  if (flavour === 'AKS') return hasAzureCni ? 'azure' : 'aks-byocni';
  return 'tunnel';
}

const SNAP = '/var/snap/microk8s/current';
const OF_FLAVOUR: Partial<Record<Flavour, Readonly<Record<string, unknown>>>> = {
  kind: { 'ipam.mode': 'kubernetes' },
  GKE: {
    'nodeinit.enabled': true,
    'nodeinit.removeCbrBridge': true,
    'nodeinit.reconfigureKubelet': true,
    'cni.binPath': '/home/kubernetes/bin',
  },
  microk8s: {
    'cni.binPath': `${SNAP}/opt/cni/bin`,
    'cni.confPath': `${SNAP}/args/cni-network`,
    'daemon.runPath': `${SNAP}/var/run/cilium`,
  },
  'rancher-desktop': { 'cni.binPath': '/usr/libexec/cni' },
};
const OF_DATAPATH: Readonly<Record<DatapathMode, Readonly<Record<string, unknown>>>> = {
  tunnel: { routingMode: 'tunnel', tunnelProtocol: 'vxlan' },
  native: {},
  'aws-eni': { 'ipam.mode': 'eni', 'eni.enabled': true, routingMode: 'native' },
  gke: { 'ipam.mode': 'kubernetes', 'gke.enabled': true, 'gke.disableDefaultSnat': true },
  azure: {
    'ipam.mode': 'azure',
    'azure.enabled': true,
    routingMode: 'native',
    'bpf.masquerade': false,
    enableIPv4Masquerade: false,
    enableIPv6Masquerade: false,
  },
  'aks-byocni': { 'aksbyocni.enabled': true },
};

/** What was found out about a cluster, as far as values follow from it. */
export interface Found {
  flavour: Flavour | undefined;
  datapath: DatapathMode;
  clusterName: string;
  nativeRoutingCidr?: string | undefined;
}

/** The values that an installation has unless the user says otherwise. */
export function automaticValues({ flavour, datapath, clusterName, nativeRoutingCidr }: Found): Values {
  return nested({
    'operator.replicas': 1,
    ...(flavour && OF_FLAVOUR[flavour]),
    ...OF_DATAPATH[datapath],
    ...(clusterName !== '' && { 'cluster.name': clusterName }),
    ...(nativeRoutingCidr && { ipv4NativeRoutingCIDR: nativeRoutingCidr }),
  });
}

/** The values of Azure IPAM that nobody but the user knows. */
export const AZURE_VALUES = [
  'azure.resourceGroup',
  'azure.subscriptionID',
  'azure.tenantID',
  'azure.clientID',
];

/** The pairs that keep Cilium off nodes with the label `cilium.io/no-schedule=true`. */
export const NO_SCHEDULE_PAIRS = ['', 'operator.', 'authentication.mutual.spire.install.agent.'].flatMap(
  (prefix) =>
    ['key=cilium.io/no-schedule', 'operator=NotIn', 'values[0]=true'].map(
      (pair) =>
        `${prefix}affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].${pair}`,
    ),
);

/** The oldest chart that the reference installs. */
export const OLDEST_CHART = '1.16.0';
