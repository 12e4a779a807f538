/** Kinds of clusters that are told apart, as the reference calls them. */
const FLAVOURS = [
  ...(['minikube', 'kind', 'EKS', 'GKE', 'AKS', 'microk8s', 'rancher-desktop', 'K3s', 'OpenShift'] as const),
];
export type Flavour = (typeof FLAVOURS)[number];

/** What a kubeconfig says of a cluster. */
export interface ClusterNames {
  cluster: string;
  context: string;
  server: string;
}

/** The flavour that the names in a kubeconfig tell; undefined where nodes have to be looked at. */
export function flavourOfNames({ cluster, context, server }: ClusterNames): Flavour | undefined {
  if (cluster === 'minikube' || context === 'minikube') return 'minikube';
  if (cluster === 'rancher-desktop' || context === 'rancher-desktop') return 'rancher-desktop';
  if (cluster.startsWith('kind-') || context.startsWith('kind-')) return 'kind';
  if (cluster.startsWith('gke_')) return 'GKE';
  if (cluster.endsWith('.eksctl.io') || server.endsWith('eks.amazonaws.com')) return 'EKS';
  return server.endsWith('azmk8s.io:443') ? 'AKS' : undefined;
}

/** The flavour that labels of nodes tell. */
export function flavourOfNodes(nodes: readonly Readonly<Record<string, string>>[]): Flavour | undefined {
  for (const labels of nodes) {
    if ('cloud.google.com/gke-nodepool' in labels || 'cloud.google.com/gke-os-distribution' in labels)
      return 'GKE';
    const type = labels['node.kubernetes.io/instance-type'] ?? labels['beta.kubernetes.io/instance-type'];
    if (labels['node-role.kubernetes.io/master'] === 'true' && type === 'k3s') return 'K3s';
  }
  return undefined;
}

/** MicroK8s is told by its name only where nothing else is. */
export function isMicrok8s({ cluster, context }: ClusterNames): boolean {
  return cluster.startsWith('microk8s-') || context === 'microk8s';
}

/** Longer ones are refused by the chart. */
const LONGEST_NAME = 32;

/** The name that Cilium calls the cluster by: small letters, digits and dashes, one of the first two at its ends. */
export function clusterNameOf(kubeconfigName: string, flavour: Flavour | undefined): string {
  const own = flavour === 'EKS' ? eksName(kubeconfigName) : kubeconfigName;
  return own
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '-')
    .replace(/^-+/, '')
    .slice(0, LONGEST_NAME)
    .replace(/-+$/, '');
}

/** Of an ARN, or of `<name>.<region>.eksctl.io`. */
function eksName(name: string): string {
  const arn = name.lastIndexOf(':cluster/');
  if (arn >= 0) return name.slice(arn + ':cluster/'.length);
  return name.includes('.eksctl.io') ? (name.split('.')[0] ?? '') : name;
}
