import { agentSuite } from './agent.ts';
import { bpfSuite } from './bpf.ts';
import { hubbleFileSuite, hubbleServerSuite } from './hubble.ts';
import { monitorSuite } from './monitor.ts';
import { shellSuite } from './shell.ts';
import type { GoldenSuite } from './suite.ts';

const ETCD = 'the kvstore is an etcd of its own, which the recording does not hold';
const GO_STRUCT =
  "the reference prints Go's form of a structure, which holds addresses of its memory; ours is JSON (differs: jsonpath-structure)";

const HUBBLE_EXCEPTIONS = {
  version: 'names this program and its runtime, not the reference (differs: hubble-version)',
  'list bogus':
    'an error instead of the help: a typing error in a script must not pass (differs: unknown-verb)',
};

const LAST_KEY = 'the old command line repeats the entry that it read last (differs: bpf-json-each)';

/** Every recording that is replayed. */
export const SUITES: readonly GoldenSuite[] = [
  agentSuite('agent-1.20.json', {
    'status -o yaml':
      'a field that the early snapshots of 1.20 had, and released 1.20 has not, is not shown empty (differs: status-yaml-snapshot)',
  }),
  agentSuite('agent-1.17-policy.json', {
    'policy import /opt/node/pol/unknown.json':
      'the reference drops unknown fields without a word and imports a rule without effect; ours refuses unless --no-strict (differs: policy-unknown-fields)',
  }),
  agentSuite('agent-1.20-release.json', {
    'policy import /opt/node/pol/l3l4.json':
      'the reference no longer has the verb and prints help with exit code 0; ours says what took its place (differs: policy-import-gone)',
    'kvstore get --recursive cilium/state/nodes/v1': ETCD,
    'kvstore get --kvstore etcd --kvstore-opt etcd.address=http://127.0.0.1:2379 cilium/state/nosuch': ETCD,
  }),
  agentSuite('agent-1.14.json', {
    'encrypt status -o json':
      'the reference takes -o and prints text; ours prints JSON (differs: encrypt-output)',
    'policy trace --src-k8s-yaml /opt/node/pol/pod.yaml --dst-k8s-yaml /opt/node/pol/dep.yaml --dport 80':
      'a flag that 1.14 no longer has; ours keeps it for all agents (differs: policy-trace-flags)',
    'policy trace --src-k8s-pod default:web -d app=web --dport 80':
      'the reference asks Kubernetes and panics without it, ours asks the agent for its endpoint of that pod (differs: policy-trace-pod)',
  }),
  agentSuite('agent-1.10.json', {
    'endpoint get 2574 -o jsonpath={[0].status.policy.realized.l4}': GO_STRUCT,
    'kvstore get --recursive cilium/state/identities/v1/id': ETCD,
    'kvstore get --recursive cilium/state/nodes/v1': ETCD,
  }),
  monitorSuite('monitor-1.20.json', {}),
  monitorSuite('monitor-1.20-release.json', {}),
  monitorSuite('monitor-1.14.json', {}, { sys: 'monitor/sys-1.14', agent: 'agent-1.14.json' }),
  monitorSuite('monitor-1.10.json', {}, { agent: 'agent-1.10.json' }),
  shellSuite('shell-1.20.json'),
  hubbleFileSuite('hubble-observe.json'),
  hubbleFileSuite('hubble-raw-filters.json'),
  hubbleFileSuite(
    'hubble-1.20-release.json',
    { version: HUBBLE_EXCEPTIONS.version },
    'flows-1.20-release.jsonl',
  ),
  hubbleFileSuite('hubble-random.json.gz', {}, 'flows-random.jsonl'),
  hubbleServerSuite('hubble-relay.json', { namespaces: 'relay-GetNamespaces.grpc' }, HUBBLE_EXCEPTIONS),
  hubbleServerSuite(
    'hubble-agent.json',
    { namespaces: 'getnamespaces.grpc', events: 'getagentevents.grpc' },
    HUBBLE_EXCEPTIONS,
  ),
  bpfSuite(
    'bpf-1.10.json',
    {
      'bpf ct list global -o json': LAST_KEY,
      'bpf ct list 901 -o json': LAST_KEY,
      'bpf nat list -o json': LAST_KEY,
      'bpf recorder list -o json': LAST_KEY,
    },
    'bpf-1.10-agent.json',
  ),
  bpfSuite(
    'bpf-1.20-release.json',
    {
      'bpf policy list -n':
        'the flag of "bpf policy get" is taken here too, where 1.20 refuses it (differs: bpf-policy-list-numeric)',
    },
    'bpf-1.20-release-agent.json',
  ),
  bpfSuite('bpf-1.20.json', {
    'bpf lb maglev get 1':
      'the verb of older releases is kept, where 1.20 prints help (differs: bpf-old-verbs)',
  }),
];

/** Recordings that do not match yet: `npm run goldens` replays them, the tests do not. */
export const UNFINISHED: readonly GoldenSuite[] = [];
