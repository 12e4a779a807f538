import { type Item, list, object, special } from './item.ts';

const APPS = '/apis/apps/v1/namespaces/{ns}';

/** What cilium-cli does not collect, and what our verbs ask for. */
export const OWN_ITEMS: readonly Item[] = [
  special('Collecting the API and the BPF maps of Cilium pods', 'agents', 'agent-api', true),
  list(
    'Collecting Cilium controller revisions',
    'workloads',
    'cilium-controllerrevisions',
    `${APPS}/controllerrevisions`,
    { scope: 'cilium' },
  ),
  list('Collecting Cilium replica sets', 'workloads', 'cilium-replicasets', `${APPS}/replicasets`, {
    scope: 'cilium',
  }),
  list(
    'Collecting custom resource definitions',
    'cilium',
    'k8s-customresourcedefinitions',
    '/apis/apiextensions.k8s.io/v1/customresourcedefinitions',
  ),
  special('Collecting what is not secret in Secrets of Cilium', 'workloads', 'secrets', true),
  special('Collecting the kinds of the API server', 'kubernetes', 'api-resources', true),
  // What runs beside Cilium, wherever that is.
  ...['kube-proxy', 'node-local-dns'].map((name) =>
    object(
      `Collecting the ${name} daemonset`,
      `${name}-daemonset`,
      `${APPS}/daemonsets`,
      'kube-system',
      name,
      {
        group: 'kubernetes',
      },
    ),
  ),
  list(
    'Collecting the version of OpenShift',
    'platform',
    'clusterversions',
    '/apis/config.openshift.io/v1/clusterversions',
  ),
  list(
    'Collecting cluster network policies',
    'kubernetes',
    'clusternetworkpolicies',
    '/apis/policy.networking.k8s.io/v1alpha2/clusternetworkpolicies',
  ),
];
