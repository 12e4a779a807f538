import { ENVOY_RESOURCES } from '../../model/envoy.ts';

/** A path of the agent's API. */
export interface AgentPath {
  path: string;
  quick: boolean;
  /** Absent: GET. Envoy takes POST alone for some of what only reads. */
  method?: 'POST';
  /** Another socket than that of the agent's API. */
  socket?: string;
  /** Sent as JSON: a question to a table. */
  body?: string;
}

const HEALTH_SOCKET = '/var/run/cilium/health.sock';
const ENVOY_SOCKET = '/var/run/cilium/envoy/sockets/admin.sock';
const WHOLE_CONFIG = '/config_dump?include_eds';
/** What Envoy's admin interface is asked, as our verbs ask it. */
const ENVOY_PATHS: readonly Omit<AgentPath, 'socket' | 'quick'>[] = [
  ...[
    '/certs',
    '/clusters?format=text',
    '/clusters?format=json',
    '/listeners?format=text',
    '/listeners?format=json',
    '/server_info',
    '/stats/prometheus',
    WHOLE_CONFIG,
    ...Object.values(ENVOY_RESOURCES)
      .filter((resource) => resource !== '')
      .map((resource) => `${WHOLE_CONFIG}&resource=${resource}`),
  ].map((path) => ({ path })),
  { path: '/logging', method: 'POST' },
];
/** The reports of the agent's modules, as our status asks for them. */
const MODULE_HEALTH = JSON.stringify({
  key: Buffer.from('agent').toString('base64'),
  table: 'health',
  index: 'identifier',
  lowerbound: true,
});

/** What every agent is asked, in this order: what our reading verbs ask. A release that lacks one answers 404. */
export const AGENT_PATHS: readonly AgentPath[] = [
  ...[
    '/v1/healthz',
    '/v1/config',
    '/v1/endpoint',
    '/v1/identity',
    '/v1/identity/endpoints',
    '/v1/ip',
    '/v1/service',
    '/v1/policy',
    '/v1/policy/selectors',
    '/v1/policy/subject-selectors',
    '/v1/fqdn/cache',
    '/v1/fqdn/names',
    '/v1/cluster/nodes',
    '/v1/node/ids',
    '/v1/lrp',
    '/v1/prefilter',
    '/v1/recorder',
    '/v1/recorder/masks',
    '/v1/cgroup-dump-metadata',
    '/v1/bgp/peers',
    '/v1/bgp/route-policies',
    '/v1/bgp/routes?afi=ipv4&safi=unicast&table_type=loc-rib',
    '/v1/bgp/routes?afi=ipv6&safi=unicast&table_type=loc-rib',
    '/v1/metrics/',
    '/v1/map',
    '/v1/health',
    '/statedb/dump',
    '/v1/statedb/dump',
  ].map((path) => ({ path, quick: true })),
  { path: '/statedb/query', body: MODULE_HEALTH, quick: true },
  { path: '/v1beta/status', socket: HEALTH_SOCKET, quick: true },
  { path: '/v1beta/healthz', socket: HEALTH_SOCKET, quick: true },
  ...ENVOY_PATHS.map((asked) => ({ ...asked, socket: ENVOY_SOCKET, quick: false })),
  { path: '/v1/debuginfo', quick: false },
];

/** What an agent is asked of each endpoint, whose number is put in. */
export const ENDPOINT_PATHS = [
  '/v1/endpoint/{id}',
  '/v1/endpoint/{id}/healthz',
  '/v1/endpoint/{id}/log',
  '/v1/endpoint/{id}/labels',
  '/v1/endpoint/{id}/config',
] as const;

/** Calls to an agent's Hubble server, in this order: what our verbs ask. Events are bounded, all else is one answer. */
export const HUBBLE_CALLS = {
  one: [
    '/grpc.health.v1.Health/Check',
    '/observer.Observer/ServerStatus',
    '/observer.Observer/GetNodes',
    '/observer.Observer/GetNamespaces',
  ],
  events: ['/observer.Observer/GetAgentEvents', '/observer.Observer/GetDebugEvents'],
} as const;

/** Verbs of the agent's command line that read the kernel, or that no path of the API answers. */
export const AGENT_VERBS: readonly { words: readonly string[]; json: boolean }[] = [
  ...[
    'bpf auth list',
    'bpf bandwidth list',
    'bpf config list',
    'bpf ct list',
    'bpf ct list global',
    'bpf egress list',
    'bpf endpoint list',
    'bpf frag list',
    'bpf ipcache list',
    'bpf ipmasq list',
    'bpf lb list',
    'bpf lb list --backends',
    'bpf lb list --frontends',
    'bpf lb list --revnat',
    'bpf lb list --source-ranges',
    'bpf lb maglev list',
    'bpf metrics list',
    'bpf multicast group list',
    'bpf multicast subscriber list all',
    'bpf nat list',
    'bpf nat retries list',
    'bpf nodeid list',
    'bpf policy get --all',
    'bpf policy get --all -n',
    'bpf policy list',
    'bpf recorder list',
    'bpf sha list',
    'bpf socknat list',
    'bpf srv6 policy',
    'bpf srv6 sid',
    'bpf srv6 state',
    'bpf srv6 vrf',
    'bpf tunnel list',
    'bpf vtep list',
    'status',
    'encrypt status',
    'metrics list',
    'metrics list -p cilium_.*feature',
    'version',
  ].map((text) => ({ words: text.split(' '), json: true })),
  ...['bpf fs show', 'status --verbose', 'status --brief'].map((text) => ({
    words: text.split(' '),
    json: false,
  })),
];
