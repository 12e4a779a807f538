import type { Need, Row, Scope } from '../../cluster/rbac/role.ts';
import { ITEMS } from '../../cluster/sysdump/items.ts';

/** Rights of one API group. */
const of =
  (group: string) =>
  (scope: Scope, verbs: string, resources: string, ...names: string[]): Need => ({
    group,
    resources: resources.split(' '),
    verbs: verbs.split(' '),
    in: scope,
    ...(names.length > 0 && { names }),
  });
const core = of('');
const apps = of('apps');
const cilium = of('cilium.io');
const networking = of('networking.k8s.io');
const definitions = of('apiextensions.k8s.io');

/** To find the agents and run something in their pods. Since Kubernetes 1.35 exec needs `create` as well. */
const AGENTS = [core('cilium', 'list', 'pods'), core('cilium', 'get create', 'pods/exec')];
/** To reach Hubble Relay through a forwarded port, with the cluster's own certificates. */
const RELAY = [
  core('cilium', 'get', 'services', 'hubble-relay'),
  core('cilium', 'list', 'pods'),
  core('cilium', 'get create', 'pods/portforward'),
  core(
    'cilium',
    'get',
    'secrets',
    ...['cilium-ca', 'hubble-relay-client-certs', 'hubble-relay-server-certs', 'hubble-server-certs'],
  ),
];
/** The kinds of a group that a sysdump lists. */
const dumped = (group: string) =>
  [
    ...new Set(
      ITEMS.flatMap((item) => (item.kind === 'list' ? item.paths : []))
        .filter((path) => path.startsWith(`/apis/${group}/`))
        .map((path) => path.split('/').at(-1)),
    ),
  ].join(' ');
const CONFIG = [core('cilium', 'get', 'configmaps', 'cilium-config')];
/** To change the release of Cilium: to read it, and to see who owns it. */
const RELEASE: Row = {
  needs: [...CONFIG, core('cilium', 'list get', 'secrets'), apps('cilium', 'get', 'daemonsets', 'cilium')],
  note: 'Helm itself needs what the objects of the chart need, and create and update of secrets. Owners are looked for among helmreleases and applications too, where they may be listed.',
};
/** How a cluster of a mesh is reached by the others. */
const MESH_ACCESS = [
  core('cilium', 'get', 'services', 'clustermesh-apiserver'),
  // Where the Service is a NodePort.
  core('cluster', 'list', 'nodes'),
];
/** To tell the release of the agents by their image. */
const IMAGE = [apps('cilium', 'list', 'daemonsets')];
/** What Helm keeps of its releases; their names have the revision in them. */
const HELM = [core('cilium', 'list get', 'secrets')];
/** To plan what Helm is then told to do. */
const OF_HELM: Row = {
  needs: HELM,
  note: 'Helm itself needs what the objects of the chart need, and create and update of secrets.',
};
const WORKLOADS = [
  apps('cilium', 'get', 'daemonsets', 'cilium', 'cilium-envoy'),
  apps(
    'cilium',
    'get',
    'deployments',
    'cilium-operator',
    'clustermesh-apiserver',
    'hubble-relay',
    'hubble-ui',
  ),
];
const POLICIES = [
  cilium('cluster', 'list', 'ciliumnetworkpolicies ciliumclusterwidenetworkpolicies'),
  networking('cluster', 'list', 'networkpolicies'),
];
/** All that decides policy, for `--state cluster`. */
const STATE = [
  ...POLICIES,
  ...IMAGE,
  ...CONFIG,
  cilium(
    'cluster',
    'list',
    'ciliumcidrgroups ciliumendpoints ciliumidentities ciliumnodeconfigs ciliumnodes',
  ),
  core('cluster', 'list', 'namespaces pods services'),
  of('discovery.k8s.io')('cluster', 'list', 'endpointslices'),
  of('policy.networking.k8s.io')('cluster', 'list', 'clusternetworkpolicies'),
];
const IPSEC_KEYS = core('cilium', 'get', 'secrets', 'cilium-ipsec-keys');
const list = (plural: string, scope: Scope = 'cluster'): Row => ({ needs: [cilium(scope, 'list', plural)] });
const OF_AGENTS: Row = { needs: AGENTS };
const OF_STATE: Row = { needs: STATE };

/** To run pods in a namespace of the tests, and to take all of it away again. */
const TEST_PODS = [
  core('cluster', 'list', 'nodes'),
  core('cluster', 'get list create patch delete', 'namespaces'),
  core('objects', 'list create patch delete', 'serviceaccounts'),
  core('objects', 'list delete', 'services'),
  core('objects', 'list watch', 'pods'),
  core('objects', 'get create', 'pods/exec'),
  apps('objects', 'list watch create patch delete', 'deployments'),
  cilium('objects', 'list', 'ciliumnetworkpolicies'),
  networking('objects', 'list', 'networkpolicies'),
];

const ENCRYPTION: Readonly<Record<string, Row>> = {
  // What is expected of IPsec follows from the configuration.
  status: { needs: [...AGENTS, ...CONFIG] },
  'create-key': { needs: [IPSEC_KEYS, core('cilium', 'create', 'secrets')] },
  'rotate-key': {
    needs: [
      IPSEC_KEYS,
      core('cilium', 'patch', 'secrets', 'cilium-ipsec-keys'),
      cilium('cluster', 'list', 'ciliumnodes'),
    ],
  },
  'key-status': { needs: [IPSEC_KEYS] },
};

/**
 * What each verb that asks the API server needs, by its words; with a flag behind them what that needs beside. Each
 * right is one that some run of the verb asks for: the tests run it with these alone, and look for those that are never used.
 */
export const NEEDS: Readonly<Record<string, Row>> = {
  'bgp config advertisements': list('ciliumbgpadvertisements'),
  'bgp config clusters': list('ciliumbgpclusterconfigs'),
  'bgp config nodes': list('ciliumbgpnodeconfigs'),
  'bgp config peers': list('ciliumbgppeerconfigs'),
  'bgp peers': OF_AGENTS,
  'bgp routes': OF_AGENTS,
  'clustermesh connect': {
    ...RELEASE,
    needs: [...RELEASE.needs, ...MESH_ACCESS, cilium('cluster', 'list', 'ciliumnodes')],
  },
  'clustermesh disable': RELEASE,
  'clustermesh disconnect': RELEASE,
  'clustermesh enable': { ...RELEASE, needs: [...RELEASE.needs, core('cluster', 'list', 'nodes')] },
  'clustermesh inspect-policy-default-local-cluster': {
    needs: [
      cilium('objects', 'list', 'ciliumnetworkpolicies'),
      networking('objects', 'list', 'networkpolicies'),
    ],
  },
  'clustermesh inspect-policy-default-local-cluster --all-namespaces': {
    needs: [cilium('cluster', 'list', 'ciliumclusterwidenetworkpolicies')],
  },
  'clustermesh status': {
    needs: [
      ...AGENTS,
      ...CONFIG,
      ...MESH_ACCESS,
      apps('cilium', 'get', 'deployments', 'clustermesh-apiserver'),
      core(
        'cilium',
        'get',
        'secrets',
        ...['cilium-ca', 'cilium-clustermesh', 'cilium-kvstoremesh', 'clustermesh-apiserver-remote-cert'],
      ),
    ],
  },
  'config delete': { needs: [...CONFIG, core('cilium', 'patch', 'configmaps', 'cilium-config')] },
  'config drift': {
    needs: [
      ...AGENTS,
      ...CONFIG,
      ...HELM,
      ...IMAGE,
      cilium('cilium', 'list', 'ciliumnodeconfigs'),
      core('cluster', 'list', 'nodes'),
    ],
  },
  'config lint': { needs: [...CONFIG, ...IMAGE] },
  'config set': { needs: [...CONFIG, core('cilium', 'patch', 'configmaps', 'cilium-config')] },
  'config set --restart': {
    needs: [
      apps('cilium', 'list', 'daemonsets deployments'),
      apps('cilium', 'get patch', 'daemonsets', 'cilium'),
      apps('cilium', 'get patch', 'deployments', 'cilium-operator'),
    ],
  },
  'config view': { needs: CONFIG },
  'connectivity check': {
    needs: [
      ...AGENTS,
      ...STATE,
      core('objects', 'get', 'pods services'),
      core('objects', 'get create', 'pods/exec'),
      of('discovery.k8s.io')('objects', 'list', 'endpointslices'),
    ],
  },
  'connectivity perf': { needs: [...TEST_PODS, core('cilium', 'list', 'pods')] },
  'connectivity test': {
    needs: [
      ...TEST_PODS,
      ...AGENTS,
      ...STATE,
      core('cilium', 'list', 'services'),
      core('objects', 'create patch', 'services'),
      cilium('objects', 'create patch delete', 'ciliumnetworkpolicies'),
    ],
    note: 'Objects are those of the namespace of the tests. The cluster DNS is looked for in kube-system.',
  },
  'connectivity test --all': { needs: [networking('objects', 'create patch delete', 'networkpolicies')] },
  context: { needs: [], note: 'It reads the kubeconfig, and asks for nothing.' },
  'profile explain': { needs: [], note: 'It reads settings of this machine, and asks for nothing.' },
  'egress-gateway list': list('ciliumegressgatewaypolicies'),
  'egress-gateway status': {
    needs: [
      ...AGENTS,
      cilium('cluster', 'list', 'ciliumegressgatewaypolicies ciliumendpoints ciliumnodes'),
      core('cluster', 'list', 'nodes'),
    ],
  },
  ...Object.fromEntries(
    ['encrypt', 'encryption'].flatMap((noun) =>
      Object.entries(ENCRYPTION).map(([verb, row]) => [`${noun} ${verb}`, row]),
    ),
  ),
  'endpoint list': list('ciliumendpoints', 'objects'),
  'features status': {
    needs: [
      ...AGENTS,
      // They are looked for there, wherever Cilium is.
      apps('cluster', 'get', 'daemonsets', 'kube-proxy', 'node-local-dns'),
    ],
  },
  'hubble port-forward': {
    needs: [
      core('cilium', 'get', 'services', 'hubble-relay'),
      core('cilium', 'list', 'pods'),
      core('cilium', 'get create', 'pods/portforward'),
    ],
  },
  'hubble observe --port-forward': { needs: RELAY },
  'hubble disable': OF_HELM,
  'hubble enable': OF_HELM,
  'hubble ui --upstream': {
    needs: [
      core('cilium', 'get', 'services', 'hubble-ui'),
      core('cilium', 'list', 'pods'),
      core('cilium', 'get create', 'pods/portforward'),
    ],
  },
  'identity list': list('ciliumidentities'),
  'identity list --unused': list('ciliumendpoints'),
  images: {
    needs: [
      ...HELM,
      apps('cilium', 'list', 'daemonsets deployments'),
      of('batch')('cilium', 'list', 'cronjobs'),
    ],
  },
  install: {
    ...OF_HELM,
    needs: [core('cilium', 'list', 'secrets'), ...IMAGE, core('cluster', 'list', 'nodes')],
  },
  'l2-announcement list': list('ciliuml2announcementpolicies'),
  'lb-ip-pool list': list('ciliumloadbalancerippools'),
  logs: { needs: [core('cilium', 'list', 'pods'), core('cilium', 'get', 'pods/log')] },
  'logs --follow': { needs: [core('cilium', 'get watch', 'pods')] },
  'lrp list': list('ciliumlocalredirectpolicies', 'objects'),
  'multicast add': { needs: [...AGENTS, cilium('cluster', 'list', 'ciliumnodes')] },
  'multicast delete': OF_AGENTS,
  'multicast list group': OF_AGENTS,
  'multicast list subscriber': OF_AGENTS,
  'node list': list('ciliumnodes'),
  'policy cost': OF_STATE,
  'policy coverage': OF_STATE,
  'policy delete': {
    needs: [
      cilium('objects', 'list delete', 'ciliumnetworkpolicies'),
      cilium('cluster', 'list delete', 'ciliumclusterwidenetworkpolicies'),
      networking('objects', 'list delete', 'networkpolicies'),
    ],
  },
  'policy get': {
    needs: [
      cilium('objects', 'list', 'ciliumnetworkpolicies'),
      cilium('cluster', 'list', 'ciliumclusterwidenetworkpolicies'),
      networking('objects', 'list', 'networkpolicies'),
    ],
  },
  'policy import --via': {
    // Server-side apply of an object that is not there yet creates it.
    needs: [
      cilium('objects', 'create get patch', 'ciliumnetworkpolicies'),
      cilium('cluster', 'create get patch', 'ciliumclusterwidenetworkpolicies'),
      networking('objects', 'create get patch', 'networkpolicies'),
    ],
  },
  'policy maps': OF_STATE,
  'policy replay': OF_STATE,
  'policy simulate': OF_STATE,
  'policy suggest': OF_STATE,
  'policy test': OF_STATE,
  'policy unused': OF_STATE,
  'policy validate': { needs: [...POLICIES, ...IMAGE] },
  'policy why': OF_STATE,
  'preflight upgrade': {
    needs: [
      ...STATE,
      ...HELM,
      core('cilium', 'list', 'pods'),
      core('cluster', 'list', 'nodes'),
      definitions('cluster', 'list', 'customresourcedefinitions'),
      // Kinds that a release no longer has: whether there are objects.
      cilium('cluster', 'list', 'ciliumbgppeeringpolicies ciliumexternalworkloads'),
    ],
  },
  'preflight validate-cnp': {
    needs: [cilium('cluster', 'list', 'ciliumnetworkpolicies ciliumclusterwidenetworkpolicies')],
  },
  status: {
    needs: [
      ...AGENTS,
      ...CONFIG,
      ...HELM,
      ...WORKLOADS,
      core('cluster', 'list', 'pods'),
      cilium('cluster', 'list', 'ciliumendpoints'),
    ],
    note: 'Where containers have crashed, it shows the end of their logs with get of pods/log.',
  },
  'status --consistency': {
    needs: [cilium('cluster', 'list', 'ciliumidentities ciliumnodes'), core('cluster', 'list', 'nodes')],
  },
  'status --rollout': {
    needs: [apps('cilium', 'list', 'controllerrevisions replicasets'), core('cluster', 'list', 'nodes')],
  },
  sysdump: {
    needs: [
      ...AGENTS,
      ...CONFIG,
      ...HELM,
      core('cluster', 'list', 'nodes namespaces pods services endpoints events'),
      core('cilium', 'get', 'pods/log pods/proxy configmaps'),
      apps('cluster', 'list', 'daemonsets deployments'),
      apps('cilium', 'get list', 'daemonsets deployments replicasets statefulsets controllerrevisions'),
      apps('cluster', 'get', 'statefulsets', 'spire-server'),
      apps('cluster', 'get', 'daemonsets', 'kube-proxy', 'node-local-dns'),
      of('batch')('cilium', 'get', 'cronjobs'),
      networking('cluster', 'list', 'networkpolicies ingresses ingressclasses'),
      of('discovery.k8s.io')('cluster', 'list', 'endpointslices'),
      of('coordination.k8s.io')('cluster', 'list', 'leases'),
      of('metrics.k8s.io')('cluster', 'list', 'nodes pods'),
      of('apiextensions.k8s.io')('cluster', 'list', 'customresourcedefinitions'),
      of('cert-manager.io')('cluster', 'list', 'certificates'),
      of('config.openshift.io')('cluster', 'list', 'clusterversions'),
      of('policy.networking.k8s.io')('cluster', 'list', 'clusternetworkpolicies'),
      of('gateway.networking.k8s.io')('cluster', 'list', dumped('gateway.networking.k8s.io')),
      cilium('cluster', 'list', dumped('cilium.io')),
      { group: '', resources: [], urls: ['/metrics'], verbs: ['get'], in: 'cluster' },
    ],
    note: 'What it may not read is a reason in its index, not an end.',
  },
  'sysdump --estimate': { needs: [core('cluster', 'get', 'nodes/proxy')] },
  uninstall: {
    ...OF_HELM,
    needs: [
      ...HELM,
      ...CONFIG,
      apps('cilium', 'get', 'daemonsets', 'cilium'),
      core('cluster', 'list', 'namespaces nodes'),
      definitions('cluster', 'list', 'customresourcedefinitions'),
    ],
  },
  upgrade: OF_HELM,
  version: { needs: [...HELM, core('cilium', 'list', 'pods')] },
};

/** What a verb of an agent needs to ask that of a node. */
export const OF_NODE: Row = { needs: AGENTS };
/** The same with a flag. */
export const OF_NODE_FLAGS: Readonly<Record<string, Row>> = {
  '--all-nodes': { needs: [core('cluster', 'list', 'nodes')] },
  '--limit-nodes': { needs: [core('cluster', 'list', 'nodes')] },
  '--pod': { needs: [core('objects', 'get', 'pods')] },
};
