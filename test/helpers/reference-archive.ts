import { goYaml } from '../../src/render/text/yaml.ts';
import { fixture, fixtureText, type RestCase } from './recordings.ts';
import type { ZipFile } from './zip.ts';

const TIME = '20261129-101500';
const TOP = `cilium-sysdump-${TIME}`;

/** What the bugtool of a release writes, as its source says: the words and the file they make. */
function bugtoolFile(program: string, words: string): string {
  return `${`${program} ${words}`.replaceAll('/', ' ').replaceAll(' ', '-')}.md`;
}

/** The nodes of the archive, their agents, and what those wrote. */
interface Agent {
  node: string;
  pod: string;
  /** `cilium-dbg` from 1.15 on, `cilium` before. */
  program: string;
  /** Recordings of the command line, and of REST answers. */
  recordings: readonly string[];
  commands: readonly string[];
}

const AGENTS: readonly Agent[] = [
  {
    node: 'worker-1',
    pod: 'cilium-abcde',
    program: 'cilium-dbg',
    recordings: ['agent-1.20', 'bpf-1.20'],
    commands: [
      'status --verbose',
      'identity list',
      'ip list -o json',
      'service list',
      'service list -o json',
      'node list',
      'node list -o json',
      'policy selectors -o json',
      'map list --verbose',
      'fqdn cache list',
      'config -a',
      'endpoint list',
      'bpf ct list global',
      'bpf nat list',
      'bpf lb list',
      'bpf lb list --revnat',
      'bpf endpoint list',
      'bpf ipcache list',
      'bpf policy get --all',
      'bpf fs show',
    ],
  },
  {
    node: 'worker-2',
    pod: 'cilium-fghij',
    program: 'cilium',
    recordings: ['agent-1.14'],
    commands: ['status', 'policy selectors -o json', 'map list --verbose', 'node list', 'fqdn cache list'],
  },
];

interface Recorded {
  argv: string[];
  stdout: string;
  exit: number;
  exchanges: RestCase['exchanges'];
}

function recorded(name: string): Recorded[] {
  const value = fixture<Recorded[] | { cases: Recorded[] }>(`recordings/${name}.json`);
  return Array.isArray(value) ? value : value.cases;
}

/** What the reference printed for these words when it was recorded. */
export function printed(words: string, node = 'worker-1'): string {
  const { recordings = [] } = AGENTS.find((agent) => agent.node === node) ?? {};
  const found = recordings.flatMap(recorded).find(({ argv }) => argv.join(' ') === words);
  if (!found) throw new Error(`"${words}" was not recorded`);
  return found.stdout;
}

/** The body of a REST answer that was recorded. */
export function answered(path: string): string {
  const exchanges = recorded('agent-1.20').flatMap((one) => one.exchanges);
  return exchanges.find(({ request }) => request.path === path)?.response.body ?? '';
}

/** An archive as cilium-cli makes it, of a cluster of two nodes: names, places and forms are its own. */
export function referenceArchive({ hasTop = true } = {}): ZipFile[] {
  const files: ZipFile[] = [];
  const add = (name: string, data: string) => files.push({ name: hasTop ? `${TOP}/${name}` : name, data });
  const list = (stem: string, items: readonly object[]) =>
    // Lists of the typed client name no kinds of their items.
    add(`${stem}-${TIME}.yaml`, goYaml({ apiVersion: 'v1', items, kind: 'List', metadata: {} }));
  list(
    'k8s-nodes',
    AGENTS.map(({ node }) => ({ metadata: { name: node, labels: { 'kubernetes.io/hostname': node } } })),
  );
  list(
    'k8s-pods',
    AGENTS.map(({ node, pod }) => ({
      metadata: { name: pod, namespace: 'kube-system', labels: { 'k8s-app': 'cilium' } },
      spec: {
        nodeName: node,
        hostNetwork: true,
        containers: [{ name: 'cilium-agent', image: 'cilium:v1.20.0' }],
      },
      status: {
        phase: 'Running',
        containerStatuses: [
          {
            name: 'cilium-agent',
            ready: true,
            restartCount: 0,
            state: { running: { startedAt: '2026-11-29T09:00:00Z' } },
          },
        ],
      },
    })),
  );
  list('k8s-namespaces', [{ metadata: { name: 'kube-system' } }, { metadata: { name: 'default' } }]);
  list('k8s-networkpolicies', []);
  list('ciliumclusterwidenetworkpolicies', []);
  list('ciliumnetworkpolicies', [
    {
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'web', namespace: 'default', creationTimestamp: '2026-11-29T09:15:00Z' },
      spec: { endpointSelector: {} },
    },
  ]);
  list('cilium-daemonset', [
    {
      metadata: { name: 'cilium', namespace: 'kube-system', labels: { 'k8s-app': 'cilium' }, generation: 1 },
      status: {
        desiredNumberScheduled: 2,
        numberReady: 2,
        numberAvailable: 2,
        updatedNumberScheduled: 2,
        observedGeneration: 1,
      },
    },
  ]);
  add(
    `cilium-configmap-${TIME}.yaml`,
    goYaml({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'cilium-config', namespace: 'kube-system' },
      data: { 'enable-ipv4': 'true', 'tunnel-protocol': 'vxlan' },
    }),
  );
  add(
    `cilium-helm-metadata-${TIME}.yaml`,
    'name: cilium\nchart: cilium\nversion: 1.20.0\nappVersion: 1.20.0\nnamespace: kube-system\nrevision: 3\nstatus: deployed\ndeployedAt: "2026-11-01T00:00:00Z"\n',
  );
  add(`cilium-helm-values-${TIME}.yaml`, 'debug:\n  enabled: true\n');
  add(
    'cilium-sysdump.log',
    '🔍 Collecting Cilium local redirect policies\n⚠️ Cilium local redirect policies: failed to collect Cilium local redirect policies: the server could not find the requested resource\n',
  );
  for (const { pod, program, commands, recordings, node } of AGENTS) {
    const cmd = `cilium-bugtool-${pod}-${TIME}/cmd`;
    for (const words of commands) {
      const name = words === 'ip list -o json' ? 'ip list -n -o json' : words;
      const long = name === 'bpf policy get --all' ? 'bpf policy get --all --numeric' : name;
      const stdout =
        words === 'config -a'
          ? printed('config --all')
          : printed(long === name ? words : 'bpf policy get --all', node);
      add(`${cmd}/${bugtoolFile(program, long)}`, stdout);
    }
    add(
      `${cmd}/${bugtoolFile(program, 'bpf egress list')}`,
      `Error: cannot open the map\n> Error while running '${program} bpf egress list':  exit status 1\n\n`,
    );
    add(`${cmd}/envoy-config.json`, '{\n "configs": []\n}\n');
    add(`${cmd}/envoy-metrics.txt`, 'envoy_server_live{} 1\n');
    const info = recordings
      .flatMap(recorded)
      .flatMap((one) => one.exchanges)
      .find(({ request }) => request.path === '/v1/debuginfo');
    if (info)
      add(
        `${cmd}/cilium-debuginfo-${TIME}.123-+0000-UTC.json`,
        JSON.stringify(JSON.parse(info.response.body), null, 2),
      );
    add(
      `logs-${pod}-cilium-agent-${TIME}.log`,
      `2026-11-29T10:14:00.000000001Z time=2026-11-29T10:14:00Z level=info msg="of ${pod}"\n`,
    );
  }
  add(`hubble-flows-cilium-abcde-${TIME}.json`, fixtureText('recordings/flows-1.20.jsonl'));
  return files;
}
