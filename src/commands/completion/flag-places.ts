import * as agent from './of-agent.ts';
import * as cluster from './of-cluster.ts';
import * as flows from './of-flows.ts';
import { columnsOfList } from './of-list.ts';
import * as machine from './of-machine.ts';
import { anyOf, fixed, type Place, words } from './place.ts';

const YAML = ['yaml', 'yml'] as const;
const RULES: Place = { files: [...YAML, 'json'] };
const ANY_FILE: Place = { files: [] };
const FREE: Place = {};

const nodes = anyOf(cluster.nodes, agent.nodesOfAgent);
const releases = words(async () => (await import('../../model/release.ts')).KNOWN_RELEASES);
const identities = anyOf(agent.identities, flows.identitiesOfFlows);
const groups: Place = {
  list: true,
  values: words(async () => (await import('../../cluster/sysdump/options.ts')).GROUP_NAMES),
};
const monitorTypes = words(async () => Object.keys((await import('../../model/monitor.ts')).EVENT_TYPES));
const state: Place = { files: ['json'], values: fixed(['agent', 'the agent that runs']) };
const traffic: Place = { values: fixed('Local', 'Cluster') };
const pods: Place = { values: anyOf(flows.podsOfFlows, agent.podsOfNode('/'), cluster.pods) };
const names: Place = { values: flows.fqdnsOfFlows };
const ofIdentity: Place = { values: anyOf(flows.reservedNames, identities) };
const columns: Place = { list: true, values: columnsOfList };

/** Of a flag of flows also the forms with a side: `pod` stands for `pod`, `from-pod` and `to-pod`. */
function sided(places: Readonly<Record<string, Place>>): Record<string, Place> {
  return Object.fromEntries(
    Object.entries(places).flatMap(([name, place]) =>
      ['', 'from-', 'to-'].map((side) => [`--${side}${name}`, place] as const),
    ),
  );
}

/** Flags of the verbs that observe flows, which mean the whole cluster. */
const OF_FLOWS: Readonly<Record<string, Place>> = {
  ...sided({
    pod: pods,
    namespace: { values: anyOf(flows.namespacesOfFlows, cluster.namespaces) },
    label: { values: flows.labelsOfFlows },
    identity: ofIdentity,
    fqdn: names,
    service: { values: flows.servicesOfFlows },
    workload: { values: flows.workloadsOfFlows },
    cluster: { values: flows.clustersOfFlows },
    ip: FREE,
    port: FREE,
  }),
  '--verdict': { values: enumOf('flow.Verdict') },
  '--drop-reason-desc': { values: enumOf('flow.DropReason') },
  '--type': {
    values: async () => {
      const { AGENT_SUBTYPES, EVENT_TYPES } = await import('../../model/flow-words.ts');
      const { TRACE_POINTS } = await import('../../model/trace-point.ts');
      const types = Object.keys(EVENT_TYPES);
      const subtypes = [
        ...TRACE_POINTS.map((name) => `trace:${name}`),
        ...AGENT_SUBTYPES.map((name) => `agent:${name}`),
      ];
      return [...types, ...subtypes].map((value) => ({ value, meaning: '' }));
    },
  },
  '--protocol': {
    values: words(async () => Object.keys((await import('../../hubble/filter/filter.ts')).PROTOCOLS)),
  },
  '--tcp-flags': {
    list: true,
    values: words(async () => (await import('../../model/flow-words.ts')).TCP_FLAGS),
  },
  '--http-method': { values: fixed('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS') },
  '--http-status': { values: fixed('2+', '3+', '4+', '5+', '404', '500', '503') },
  '--traffic-direction': { values: fixed('ingress', 'egress') },
  '--ip-version': { values: fixed('v4', 'v6', 'none') },
  '--time-format': {
    values: words(async () => (await import('../../render/hubble/flow-time.ts')).TIME_FORMATS),
  },
  '--top': {
    list: true,
    values: async () => {
      const { fieldList, fieldNames } = await import('../../hubble/where/fields.ts');
      const about = new Map(fieldList().map((field) => [field.name.replace(/^\[.*\]/, ''), field.about]));
      const meaning = (name: string) => about.get(name.replace(/^(src|dst)\./, '')) ?? '';
      return fieldNames().map((value) => ({ value, meaning: meaning(value) }));
    },
  },
  '--node-name': { values: flows.nodesOfFlows },
  '--interface': { values: flows.interfacesOfFlows },
  '--color': { values: fixed('auto', 'always', 'never') },
  '--redact': {
    list: true,
    values: words(async () => (await import('../../hubble/captures/redact.ts')).REDACTIONS),
  },
  '--format': {
    values: fixed(
      ['json', 'a flow on each line'],
      ['proto', 'as it came, smaller'],
      ['parquet', 'tables for other programs'],
    ),
  },
  '--where': FREE,
  '--input-file': ANY_FILE,
};

function enumOf(name: string) {
  return words(async () => {
    const { enumType } = await import('../../hubble/protobuf/schema.ts');
    return [...enumType(name).numbers.keys()];
  });
}

/** Flags of one verb, or of one family, by the words that lead there. */
const OF_VERBS: readonly (readonly [path: string, flags: Readonly<Record<string, Place>>])[] = [
  ...[
    ...['hubble observe', 'observe', 'hubble record', 'hubble export otlp'],
    ...['hubble map', 'hubble report', 'hubble ui'],
  ].map((verb) => [verb, OF_FLOWS] as const),
  ['hubble export otlp', { '--endpoint': FREE }],
  ['hubble report', { '--output': { files: ['html', 'svg', 'dot', 'mmd', 'json'] } }],
  [
    'monitor',
    {
      '--type': { list: true, values: monitorTypes },
      '--from': { values: agent.endpoints },
      '--to': { values: agent.endpoints },
      '--related-to': { values: agent.endpoints },
    },
  ],
  ['policy simulate', { '--from': { values: anyOf(agent.podsOfNode('/'), agent.endpointLabels) } }],
  ['policy simulate', { '--to': { values: anyOf(agent.podsOfNode('/'), agent.endpointLabels) } }],
  ['policy trace', { '--src': FREE, '--dst': FREE }],
  ['policy validate', { '--namespace': FREE }],
  ['preflight upgrade', { '--to': { values: releases } }],
  ['endpoint list', { '--selector': { values: agent.endpointLabels } }],
  ['bpf ct', { '--pod': { values: agent.podsOfNode('/') } }],
  ['fqdn cache', { '--source': { values: fixed('lookup', 'connection') } }],
  [
    'logs',
    {
      '--component': { list: true, values: fixed('agent', 'operator', 'relay', 'envoy', 'all') },
      '--level': { values: fixed('debug', 'info', 'warn', 'error', 'fatal') },
      '--node': { list: true, values: nodes },
    },
  ],
  ['sysdump', { '--only': groups, '--skip': groups }],
  [
    'cleanup',
    {
      '--kind': { list: true, values: words(async () => (await import('../../model/cleanup.ts')).KINDS) },
      '--undo-file': { files: ['json'] },
    },
  ],
  ['lab', { '--name': { values: machine.labs }, '--flows': ANY_FILE }],
  ['lab start', { '--name': FREE }],
  [
    'service update',
    {
      '--protocol': { values: fixed('tcp', 'udp', 'any') },
      '--states': {
        list: true,
        values: fixed('active', 'terminating', 'terminating-not-serving', 'quarantined', 'maintenance'),
      },
      '--id': { values: agent.services },
    },
  ],
  ['recorder update', { '--id': { values: agent.recorders } }],
  ['identity get', { '--label': { values: agent.identityLabels } }],
  ['rbac', { '--user': FREE, '--name': FREE }],
];

/** Flags that mean the same wherever they stand. */
const EVERYWHERE: Readonly<Record<string, Place>> = {
  '--config': { files: [...YAML, 'json'] },
  '--profile': { values: machine.profilesOrNone },
  '--host': { values: machine.sockets('agent') },
  '--server': { values: anyOf(machine.sockets('hubble'), fixed(['localhost:4245', 'the default'])) },
  '--html': { files: ['html', 'htm'] },
  '--kubeconfig': ANY_FILE,
  '--context': { values: cluster.contexts },
  '--kube-context': { values: cluster.contexts },
  '--destination-context': { values: cluster.contexts, list: true },
  '--node': { values: nodes },
  '--node-list': { values: nodes, list: true },
  '--operator-node': { values: nodes },
  '--pod': { values: anyOf(cluster.pods, agent.podsOfNode('/')) },
  '--src-k8s-pod': { values: agent.podsOfNode(':') },
  '--dst-k8s-pod': { values: agent.podsOfNode(':') },
  '--endpoint': { values: agent.endpoints },
  '--src-endpoint': { values: agent.endpoints },
  '--dst-endpoint': { values: agent.endpoints },
  '--identity': { values: agent.identities },
  '--src-identity': { values: agent.identities },
  '--dst-identity': { values: agent.identities },
  '--namespace': { values: cluster.namespaces },
  '--kube-namespace': { values: cluster.namespaces },
  '--cilium-namespace': { values: cluster.namespaces },
  '--cilium-operator-namespace': { values: cluster.namespaces },
  '--cilium-spire-namespace': { values: cluster.namespaces },
  '--tetragon-namespace': { values: cluster.namespaces },
  '--objects': { values: cluster.namespaces },
  '--columns': columns,
  '--sort': columns,
  '--scenario': { values: machine.scenarios, files: YAML },
  '--rules': RULES,
  '--current': { ...RULES, values: fixed(['agent', 'the rules that the agent has']) },
  '--candidate': RULES,
  '--state': state,
  '--flows': ANY_FILE,
  '--from': { files: ['zip'] },
  '--from-archive': { files: ['zip'] },
  '--values': { files: YAML },
  '--helm-values': { files: YAML },
  '--src-k8s-yaml': { files: YAML },
  '--dst-k8s-yaml': { files: YAML },
  '--chart': { files: ['tgz'] },
  '--chart-directory': { folders: true },
  '--undo-file': { files: ['json', ...YAML] },
  '--junit': { files: ['xml'] },
  '--junit-file': { files: ['xml'] },
  '--output-filename': FREE,
  '--target': { values: releases },
  '--agent-release': { values: releases },
  '--connection-mode': {
    values: words(async () => (await import('../../model/connection-mode.ts')).CONNECTION_MODES),
  },
  '--auth-algo': {
    values: words(async () => (await import('../../cluster/encryption/key.ts')).KEY_ALGORITHMS),
  },
  '--ip-families': { list: true, values: fixed('ipv4', 'ipv6') },
  '--k8s-traffic-policy': traffic,
  '--k8s-ext-traffic-policy': traffic,
  '--k8s-int-traffic-policy': traffic,
  '--kvstore': { values: fixed('etcd') },
  '--prune': { values: agent.ruleLabels },
  '--replace-with-labels': { values: agent.ruleLabels },
  '--tls-client-cert-file': { files: ['pem', 'crt'] },
  '--tls-client-key-file': { files: ['pem', 'key'] },
  '--tls-ca-cert-files': { files: ['pem', 'crt'] },
  '--endpoint-tls-client-cert-file': { files: ['pem', 'crt'] },
  '--endpoint-tls-client-key-file': { files: ['pem', 'key'] },
  '--endpoint-tls-ca-cert-files': { files: ['pem', 'crt'] },
};

/** What the name of a flag's value says where nothing else is known. */
const BY_NAME: Readonly<Record<string, Place>> = {
  file: ANY_FILE,
  files: ANY_FILE,
  path: ANY_FILE,
  'path...': ANY_FILE,
  folder: { folders: true },
  archive: { files: ['zip'] },
  release: { values: releases },
};

/** What a flag of the verb at `path` takes; `value` is what help calls its value. */
export function flagPlace(path: readonly string[], flag: string, value: string): Place {
  const name = path.join(' ');
  const own = OF_VERBS.filter(
    ([start, flags]) => Object.hasOwn(flags, flag) && (name === start || name.startsWith(`${start} `)),
  ).sort(([a], [b]) => b.length - a.length)[0];
  return own?.[1][flag] ?? EVERYWHERE[flag] ?? BY_NAME[value] ?? FREE;
}
