import { type Item, list, object, type SpecialItem, special } from './item.ts';
import type { Group, Selectors } from './options.ts';
import { OWN_ITEMS } from './own-items.ts';

const V1 = '/api/v1';
const APPS = '/apis/apps/v1/namespaces/{ns}';
const CONFIGMAPS = '/api/v1/namespaces/{ns}/configmaps';
const CRONJOBS = '/apis/batch/v1/namespaces/{ns}/cronjobs';
const V2 = '/apis/cilium.io/v2';
const ALPHA = '/apis/cilium.io/v2alpha1';
const NETWORKING = '/apis/networking.k8s.io/v1';
const GATEWAY = '/apis/gateway.networking.k8s.io';
const CERTIFICATES = '/apis/cert-manager.io/v1/certificates';

/** A kind of Cilium's, in the version that a release has it in: each begins in the second and moves to the first. */
const both = (plural: string) => [`${V2}/${plural}`, `${ALPHA}/${plural}`];
const cilium = (about: string, plural: string) => list(`Collecting ${about}`, 'cilium', plural, both(plural));
// Whether BGP is on or not: objects that are there while it is off are what somebody may be looking for.
const bgp = (about: string, plural: string, paths = both(plural)) =>
  list(`Collecting ${about}`, 'bgp', plural, paths);
const gateway = (about: string, plural: string, version: string, stem = plural) =>
  list(`Collecting ${about} entries`, 'gateway', `gatewayapi-${stem}`, `${GATEWAY}/${version}/${plural}`, {
    feature: 'enable-gateway-api',
  });
const logs = (
  of: string,
  selector: keyof Selectors,
  group: Group = 'logs',
  more: Partial<SpecialItem> = {},
) => special(`Collecting logs from ${of} pods`, group, `logs:${selector}`, false, more);
const missing = (what: string, expected: string) => ({ missing: { what, expected } });
const SPIRE = { feature: 'mutual-auth-spiffe', group: 'spire' as const };
const NO_SPIRE = 'if SPIRE installation is not enabled';

/** What is collected before everything else, each alone, so that nothing else is measured. */
export const SERIAL_ITEMS: readonly Item[] = [
  special('Collecting profiling data from Cilium pods', 'profiles', 'profiles-agents'),
  special('Collecting tracing data from Cilium pods', 'profiles', 'traces-agents'),
];

/** What cilium-cli collects, in its order and under its file names; its typing error in tcroutes as well. */
const REFERENCE_ITEMS: readonly Item[] = [
  list('Collect Kubernetes nodes', 'kubernetes', 'k8s-nodes', `${V1}/nodes`),
  special('Collect Kubernetes version', 'kubernetes', 'version', true),
  special('Collecting Kubernetes events', 'kubernetes', 'events', true),
  list('Collecting Kubernetes namespaces', 'kubernetes', 'k8s-namespaces', `${V1}/namespaces`),
  list('Collecting Kubernetes pods', 'kubernetes', 'k8s-pods', `${V1}/pods`),
  special('Collecting Kubernetes pods summary', 'kubernetes', 'pods-table', true),
  list('Collecting Kubernetes services', 'kubernetes', 'k8s-services', `${V1}/services`),
  list(
    'Collecting Kubernetes network policies',
    'kubernetes',
    'k8s-networkpolicies',
    `${NETWORKING}/networkpolicies`,
  ),
  list('Collecting Kubernetes endpoints', 'kubernetes', 'k8s-endpoints', `${V1}/endpoints`),
  list(
    'Collecting Kubernetes endpointslices',
    'kubernetes',
    'k8s-endpointslices',
    '/apis/discovery.k8s.io/v1/endpointslices',
  ),
  list('Collecting Kubernetes leases', 'kubernetes', 'k8s-leases', '/apis/coordination.k8s.io/v1/leases'),
  special('Collecting Kubernetes metrics', 'kubernetes', 'api-metrics', true),
  special('Collecting Kubernetes nodes memory/cpu usage', 'kubernetes', 'top-nodes', true),
  special('Collecting Kubernetes pods memory/cpu usage', 'kubernetes', 'top-pods', true),
  special('Collecting crashed test pod logs', 'logs', 'crashed-logs'),
  cilium('Cilium network policies', 'ciliumnetworkpolicies'),
  cilium('Cilium cluster-wide network policies', 'ciliumclusterwidenetworkpolicies'),
  cilium('Cilium Egress Gateway policies', 'ciliumegressgatewaypolicies'),
  cilium('Cilium CIDR Groups', 'ciliumcidrgroups'),
  cilium('Cilium local redirect policies', 'ciliumlocalredirectpolicies'),
  cilium('Cilium endpoints', 'ciliumendpoints'),
  cilium('Cilium endpoint slices', 'ciliumendpointslices'),
  cilium('Cilium identities', 'ciliumidentities'),
  cilium('Cilium nodes', 'ciliumnodes'),
  cilium('Cilium Node Configs', 'ciliumnodeconfigs'),
  list('Collecting Ingresses', 'cilium', 'ciliumingresses', `${NETWORKING}/ingresses`),
  list('Collecting IngressClasses', 'cilium', 'ingressclasses', `${NETWORKING}/ingressclasses`),
  cilium('Cilium Pod IP Pools', 'ciliumpodippools'),
  cilium('Cilium L2 Announcement Policies', 'ciliuml2announcementpolicies'),
  special('Checking if cilium-etcd-secrets exists in {ns} namespace', 'workloads', 'etcd-secret', true),
  special('Collecting the Cilium configuration', 'workloads', 'agent-config', true),
  list('Collecting the Cilium daemonset(s)', 'workloads', 'cilium-daemonset', `${APPS}/daemonsets`, {
    scope: 'cilium',
    selector: 'ciliumDaemonSetLabelSelector',
  }),
  object(
    'Collecting the Cilium Node Init daemonset',
    'cilium-node-init-daemonset',
    `${APPS}/daemonsets`,
    'cilium',
    'cilium-node-init',
    missing('Daemonset', 'if Node Init DaemonSet is not enabled'),
  ),
  object(
    'Collecting the Cilium Envoy configuration',
    'cilium-envoy-configmap',
    CONFIGMAPS,
    'cilium',
    'cilium-envoy-config',
  ),
  object(
    'Collecting the Cilium Envoy daemonset',
    'cilium-envoy-daemonset',
    `${APPS}/daemonsets`,
    'cilium',
    'cilium-envoy',
    missing('Daemonset', 'if Envoy DaemonSet is not enabled'),
  ),
  object('Collecting the Hubble daemonset', 'hubble-daemonset', `${APPS}/daemonsets`, 'cilium', 'hubble'),
  object(
    'Collecting the Hubble Relay configuration',
    'hubble-relay-configmap',
    CONFIGMAPS,
    'cilium',
    'hubble-relay-config',
  ),
  list(
    'Collecting the Hubble Relay deployment',
    'workloads',
    'hubble-relay-deployment',
    `${APPS}/deployments`,
    {
      scope: 'cilium',
      selector: 'hubbleRelayLabels',
      isSingle: true,
      ...missing('Deployment', 'if Hubble is not enabled'),
    },
  ),
  list('Collecting the Hubble UI deployment', 'workloads', 'hubble-ui-deployment', `${APPS}/deployments`, {
    scope: 'cilium',
    selector: 'hubbleUiLabels',
    isSingle: true,
    ...missing('Deployment', 'if Hubble UI is not enabled'),
  }),
  object(
    'Collecting the Hubble generate certs cronjob',
    'hubble-generate-certs-cronjob',
    CRONJOBS,
    'cilium',
    'hubble-generate-certs',
    missing('cronjob', 'if auto TLS is not enabled or if not using hubble.auto.tls.method=cronjob'),
  ),
  special('Collecting the Hubble generate certs pod logs', 'logs', 'logs:hubbleGenerateCertsLabels'),
  list('Collecting the Hubble cert-manager certificates', 'workloads', 'hubble-certificates', CERTIFICATES, {
    names: ['hubble-relay-client-certs', 'hubble-relay-server-certs', 'hubble-server-certs'],
  }),
  object(
    'Collecting the Cilium operator deployment',
    'cilium-operator-deployment',
    `${APPS}/deployments`,
    'operator',
    'cilium-operator',
  ),
  special('Collecting the Cilium operator metrics', 'metrics', 'operator-metrics'),
  special('Collecting the Cilium operator debug information', 'operator', 'operator-debug'),
  special(
    'Collecting the clustermesh debug information, metrics and gops stats',
    'clustermesh',
    'clustermesh-debug',
  ),
  object(
    "Collecting the 'clustermesh-apiserver' deployment",
    'clustermesh-apiserver-deployment',
    `${APPS}/deployments`,
    'cilium',
    'clustermesh-apiserver',
    missing('Deployment', "if 'clustermesh-apiserver' isn't enabled"),
  ),
  object(
    'Collecting the Cluster Mesh certgen cronjob',
    'clustermesh-generate-certs-cronjob',
    CRONJOBS,
    'cilium',
    'clustermesh-apiserver-generate-certs',
    missing('cronjob', 'if Cluster Mesh is not enabled, or certificates are not generated via certgen'),
  ),
  special('Collecting the Cluster Mesh certgen logs', 'logs', 'logs:clustermeshGenerateCertsLabelSelector'),
  list(
    'Collecting the Cluster Mesh cert-manager certificates',
    'workloads',
    'clustermesh-certificates',
    CERTIFICATES,
    {
      names: [
        'clustermesh-apiserver-admin-cert',
        'clustermesh-apiserver-local-cert',
        'clustermesh-apiserver-remote-cert',
        'clustermesh-apiserver-server-cert',
      ],
    },
  ),
  special('Collecting the CNI configuration files from Cilium pods', 'cni', 'cni-files', true),
  special('Collecting the CNI configmap', 'cni', 'cni-configmap', true),
  special('Collecting gops stats from Cilium pods', 'gops', 'gops-agents', true),
  special('Collecting gops stats from Cilium-operator pods', 'gops', 'gops-operators', true),
  special('Collecting gops stats from Hubble pods', 'gops', 'gops-hubble', true),
  special('Collecting gops stats from Hubble Relay pods', 'gops', 'gops-relay', true),
  special('Collecting bugtool output from Cilium pods', 'bugtool', 'bugtool'),
  special('Collecting profiling data from Cilium Operator pods', 'profiles', 'profiles-operators'),
  logs('Cilium', 'ciliumLabelSelector'),
  special('Collecting logs from crashing Cilium pods', 'logs', 'logs-crashing'),
  logs('Cilium Envoy', 'ciliumEnvoyLabelSelector'),
  logs('Cilium Node Init', 'ciliumNodeInitSelector'),
  logs('Cilium operator', 'ciliumOperatorLabelSelector'),
  logs("'clustermesh-apiserver'", 'clustermeshApiserverLabelSelector'),
  logs('Hubble', 'hubbleLabelSelector'),
  logs('Hubble Relay', 'hubbleRelayLabels'),
  logs('Hubble UI', 'hubbleUiLabels'),
  special('Collecting platform-specific data', 'platform', 'platform', true),
  special('Collecting kvstore data', 'kvstore', 'kvstore', true),
  special('Collecting Hubble flows from Cilium pods', 'flows', 'flows'),
  cilium('Cilium LoadBalancer IP Pools', 'ciliumloadbalancerippools'),
  logs('Tetragon', 'tetragonLabelSelector', 'tetragon'),
  logs('Tetragon operator', 'tetragonOperatorLabelSelector', 'tetragon'),
  special('Collecting bugtool output from Tetragon pods', 'tetragon', 'tetragon-bugtool'),
  object('Collecting Tetragon configmap', 'tetragon-configmap', CONFIGMAPS, 'tetragon', 'tetragon-config', {
    group: 'tetragon',
  }),
  list(
    'Collecting Tetragon PodInfo custom resources',
    'tetragon',
    'tetragonpodinfo',
    '/apis/cilium.io/v1alpha1/podinfo',
  ),
  list(
    'Collecting Tetragon tracing policies',
    'tetragon',
    'tetragontracingpolicy',
    '/apis/cilium.io/v1alpha1/tracingpolicies',
  ),
  list(
    'Collecting Tetragon namespaced tracing policies',
    'tetragon',
    'tetragontracingpolicynamespaced',
    '/apis/cilium.io/v1alpha1/tracingpoliciesnamespaced',
  ),
  special('Collecting Helm metadata from the Cilium release', 'helm', 'helm:cilium:metadata', true),
  special('Collecting Helm metadata from the Tetragon release', 'helm', 'helm:tetragon:metadata', true),
  special('Collecting Helm values from the Cilium release', 'helm', 'helm:cilium:values', true),
  special('Collecting Helm values from the Tetragon release', 'helm', 'helm:tetragon:values', true),
  logs('Cilium SPIRE server', 'ciliumSpireServerSelector', 'spire', SPIRE),
  logs('Cilium SPIRE agent', 'ciliumSpireAgentSelector', 'spire', SPIRE),
  object(
    'Collecting the Cilium SPIRE server statefulset',
    'cilium-spire-server-statefulset',
    `${APPS}/statefulsets`,
    'spire',
    'spire-server',
    { ...SPIRE, ...missing('StatefulSet', NO_SPIRE) },
  ),
  object(
    'Collecting the Cilium SPIRE agent daemonset',
    'cilium-spire-agent-daemonset',
    `${APPS}/daemonsets`,
    'spire',
    'spire-agent',
    { ...SPIRE, ...missing('Daemonset', NO_SPIRE) },
  ),
  object(
    'Collecting the Cilium SPIRE agent configuration',
    'cilium-spire-agent-configmap',
    CONFIGMAPS,
    'spire',
    'spire-agent',
    { ...SPIRE, ...missing('ConfigMap', NO_SPIRE) },
  ),
  object(
    'Collecting the Cilium SPIRE server configuration',
    'cilium-spire-server-configmap',
    CONFIGMAPS,
    'spire',
    'spire-server',
    { ...SPIRE, ...missing('ConfigMap', NO_SPIRE) },
  ),
  special('Collecting the Cilium SPIRE server identity entries', 'spire', 'spire-entries', false, SPIRE),
  gateway('GatewayClass', 'gatewayclasses', 'v1'),
  gateway('Gateway', 'gateways', 'v1'),
  gateway('ListenerSet', 'listenersets', 'v1'),
  gateway('ReferenceGrant', 'referencegrants', 'v1beta1'),
  gateway('HTTPRoute', 'httproutes', 'v1'),
  gateway('TLSRoute', 'tlsroutes', 'v1alpha2'),
  gateway('BackendTLSPolicy', 'backendtlspolicies', 'v1'),
  gateway('GRPCRoute', 'grpcroutes', 'v1alpha2'),
  gateway('TCPRoute', 'tcproutes', 'v1', 'tcroutes'),
  gateway('UDPRoute', 'udproutes', 'v1'),
  list(
    'Collecting CiliumGatewayClassConfig entries',
    'gateway',
    'ciliumgatewayclassconfigs',
    `${ALPHA}/ciliumgatewayclassconfigs`,
    { feature: 'enable-gateway-api' },
  ),
  ...(['CiliumClusterwideEnvoyConfigs', 'CiliumEnvoyConfigs'] as const).map((kind) =>
    list(`Collecting ${kind}`, 'envoy', kind.toLowerCase(), `${V2}/${kind.toLowerCase()}`, {
      feature: 'enable-envoy-config',
    }),
  ),
  bgp('Cilium BGP Peering Policies', 'ciliumbgppeeringpolicies', [`${ALPHA}/ciliumbgppeeringpolicies`]),
  bgp('Cilium BGP Cluster Configs', 'ciliumbgpclusterconfigs'),
  bgp('Cilium BGP Peer Configs', 'ciliumbgppeerconfigs'),
  bgp('Cilium BGP Advertisements', 'ciliumbgpadvertisements'),
  bgp('Cilium BGP Node Configs', 'ciliumbgpnodeconfigs'),
  bgp('Cilium BGP Node Config Overrides', 'ciliumbgpnodeconfigoverrides'),
];

/** All that is collected. */
export const ITEMS: readonly Item[] = [...REFERENCE_ITEMS, ...OWN_ITEMS];
