import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { ELSEWHERE_TITLE, globalsOf, type Verb } from '../../src/cli/tree.ts';
import { TREE } from '../../src/commands/index.ts';
import { agentEnvironment } from '../../src/lab/environment.ts';
import { loopbackCertificate } from '../../src/lab/kube/certificate.ts';
import { startTestCluster, type TestCluster } from '../helpers/cluster.ts';
import { envoyAdmin } from '../helpers/envoy.ts';
import { kernelTest } from '../helpers/kernel-test.ts';
import { type RunResult, run } from '../helpers/run.ts';

const NOW = Math.floor(Date.now() / 1000) * 1000;
const NODE = ['--node', 'node2'];
/** The node whose maps are pinned, where that is possible. */
const PINNED = ['--node', 'node1'];
/** Verbs that no agent's own program has: they are run on the node itself. */
const ON_NODE: ReadonlySet<string> = new Set([
  'bpf ct orphans',
  'bpf ct top',
  'bpf nat orphans',
  'bpf nat top',
]);
/** An endpoint that is taken out of the datapath's map, while its connections are still there. */
const GONE = '10.11.188.138';
const ORPHANS = [
  PINNED,
  ['-o', 'json', ...PINNED],
  ['-o', 'yaml', ...PINNED],
  ['--pod-cidr', '10.11.0.0/16', ...PINNED],
  ['--pod-cidr', '203.0.113.0/24', '-o', 'json', ...PINNED],
  ['--pod-cidr', 'nonsense', ...PINNED],
];
const OF_CLUSTER = ['--state', 'cluster'];

/** Verbs that the agent's own program runs in its pod, with what they are given. */
const IN_POD: Readonly<Record<string, string[]>> = {
  'bpf auth list': [],
  'bpf bandwidth list': [],
  'bpf config list': [],
  'bpf ct list': ['global'],
  'bpf egress list': [],
  'bpf endpoint list': ['-o', 'json'],
  'bpf frag list': [],
  'bpf fs show': [],
  'bpf ipcache list': ['-o', 'json'],
  'bpf ipmasq list': [],
  'bpf lb list': ['--revnat'],
  'bpf lb maglev list': [],
  'bpf metrics list': [],
  'bpf multicast group list': [],
  'bpf multicast subscriber list': ['all'],
  'bpf nat list': [],
  'bpf nat retries list': [],
  'bpf nodeid list': [],
  'bpf policy list': [],
  'bpf recorder list': [],
  'bpf sha list': [],
  'bpf socknat list': [],
  'bpf srv6 policy': [],
  'bpf srv6 sid': [],
  'bpf srv6 state': [],
  'bpf srv6 vrf': [],
  'bpf tunnel list': [],
  'bpf vtep list': [],
  'metrics list': [],
};
const RESOURCES = ['clusters', 'endpoints', 'listeners', 'networkpolicies', 'routes', 'secrets'];
const FORMATS = ['json', 'table', 'wide', 'odd'];
const EVENTS = [
  NODE,
  ['--last', '3', ...NODE],
  ['--all', '-o', 'jsonpb', ...NODE],
  ['--since', '1h', '--last', '2', '-o', 'dict', ...NODE],
  ['--until', '1h', '-o', 'table', ...NODE],
  ['--all-nodes', '--last', '1'],
];
let cluster: TestCluster;
let envoy: Server;
let folder: string;
let top: string;
let policy: string;
let flows: string;
let cases: string;

beforeAll(async () => {
  cluster = await startTestCluster({ clock: { nowMs: () => NOW, uptimeMs: () => 1_000_000 }, maps: 'auto' });
  for (const dir of ['', join('n', 'node2')]) compiled(join(cluster.lab.info.dir, dir, 'state'));
  if (cluster.lab.info.noMaps === undefined) {
    const { code } = await onNode(['bpf', 'endpoint', 'delete', GONE]);
    expect(code).toBe(0);
  }
  envoy = envoyAdmin();
  envoy.listen(join(cluster.lab.info.dir, 'n', 'node2', 'envoy.sock'));
  await once(envoy, 'listening');
  await cluster.call('PATCH', '/api/v1/namespaces/kube-system/configmaps/cilium-config', {
    data: { 'cluster-id': '1', 'cluster-name': 'lab1', 'identity-allocation-mode': 'crd' },
  });
  for (const [path, object] of planted()) {
    const { status } = await cluster.call('POST', path, object, 'application/json');
    expect([path, status]).toEqual([path, 201]);
  }
  folder = mkdtempSync(join(tmpdir(), 'from-'));
  policy = join(folder, 'policy.json');
  writeFileSync(
    policy,
    JSON.stringify({
      apiVersion: 'cilium.io/v2',
      kind: 'CiliumNetworkPolicy',
      metadata: { name: 'a', namespace: 'default' },
      spec: { endpointSelector: {}, ingress: [{}] },
    }),
  );
  flows = join(folder, 'flows.json');
  const seen = await cluster.run(['hubble', 'observe', '--node', 'node2', '--last', '500', '-o', 'jsonpb']);
  writeFileSync(flows, seen.stdout);
  cases = join(folder, 'cases.json');
  writeFileSync(
    cases,
    JSON.stringify({ tests: [{ from: 'app=a', to: 'app=b', port: 80, expect: 'allow' }] }),
  );
  const argv = [
    'sysdump',
    '--output-filename',
    'dump',
    '--skip',
    'profiles,gops,bugtool',
    '--hubble-flows-timeout',
    '1m',
  ];
  const { code, stderr } = await cluster.run(argv, { cwd: folder, nowMs: NOW });
  expect({ code, stderr }).toMatchObject({ code: 0 });
  top = join(folder, 'dump.zip');
}, 600_000);
afterAll(async () => {
  await new Promise((resolve) => envoy.close(resolve));
  await cluster[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** What the lab has none of, by the paths of their lists. */
function* planted(): Generator<[path: string, object: object]> {
  const bgp = {
    ciliumbgpadvertisements: 'CiliumBGPAdvertisement',
    ciliumbgpclusterconfigs: 'CiliumBGPClusterConfig',
    ciliumbgpnodeconfigs: 'CiliumBGPNodeConfig',
    ciliumbgppeerconfigs: 'CiliumBGPPeerConfig',
  };
  for (const [plural, kind] of Object.entries(bgp))
    for (const name of ['a', 'b'])
      yield [
        `/apis/cilium.io/v2/${plural}`,
        { apiVersion: 'cilium.io/v2', kind, metadata: { name, labels: { app: name } }, spec: { name } },
      ];
  const secrets: Record<string, Record<string, string>> = {
    'cilium-ca': { 'ca.crt': loopbackCertificate(NOW).cert },
    'cilium-clustermesh': { lab2: 'endpoints:\n- https://lab2.mesh.cilium.io:2379\n' },
    'cilium-ipsec-keys': { keys: `3+ rfc4106(gcm(aes)) ${'ab'.repeat(20)} 128` },
    'clustermesh-apiserver-remote-cert': { 'ca.crt': loopbackCertificate(NOW).cert },
  };
  for (const [name, texts] of Object.entries(secrets)) {
    const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
    const metadata = { name, namespace: 'kube-system' };
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata, data: Object.fromEntries(data) };
    yield ['/api/v1/namespaces/kube-system/secrets', secret];
  }
  const name = 'clustermesh-apiserver';
  const mesh = { type: 'NodePort', ports: [{ port: 2379, nodePort: 32379 }] };
  yield [
    '/api/v1/namespaces/kube-system/services',
    { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'kube-system' }, spec: mesh },
  ];
  // On no node.
  const labels = { app: 'kube-proxy' };
  const spec = { nodeSelector: { none: 'none' }, containers: [{ name: 'kube-proxy', image: 'kube-proxy' }] };
  yield [
    '/apis/apps/v1/namespaces/kube-system/daemonsets',
    {
      apiVersion: 'apps/v1',
      kind: 'DaemonSet',
      metadata: { name: 'kube-proxy', namespace: 'kube-system', labels },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
    },
  ];
}

/** Runs a command line on the node whose maps are pinned. */
function onNode(argv: readonly string[]): Promise<RunResult> {
  return run(argv, { env: agentEnvironment(cluster.lab.info), nowMs: NOW, uptimeMs: 1_000_000 });
}

/** What an agent keeps of a program that it has compiled. */
function compiled(state: string): void {
  const folder = join(state, 'templates', '5f3c');
  mkdirSync(folder, { recursive: true });
  const told = Buffer.from(JSON.stringify({ NodeMAC: '02:00:00:00:00:01' })).toString('base64');
  writeFileSync(join(folder, 'ep_config.h'), `// JSON_OUTPUT: ${told}\n#define LXC_ID 7\n`);
  mkdirSync(join(state, '7'));
  writeFileSync(join(state, '7', 'template.txt'), '5f3c\n');
}

/** The verbs that take --from, as the tree has them. */
function* reading(verb: Verb, path: readonly string[], takes: boolean): Generator<string> {
  for (const [name, child] of Object.entries(verb.verbs ?? {})) {
    const own = globalsOf(child).some(({ options }) => options().some(({ long }) => long === '--from'));
    // Flags of a verb stand instead of those above it that have the same title.
    const replaces = globalsOf(child).some(({ title }) => title === ELSEWHERE_TITLE);
    const inner = (takes && child.standalone !== true && !replaces) || own;
    const below = [...path, name];
    if (inner && child.load) yield below.join(' ');
    yield* reading(child, below, inner);
  }
}

/** Reasons that several verbs share. */
const CHANGES = 'changes what it is about';
const HERE = 'reads maps as they are, and an archive holds what was printed of some of them';

const COMING = 'is about what a server tells while it runs, and says so';

/** What is not compared, and why. */
const EXCUSED: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    [
      'bpf auth flush',
      'bpf ct flush',
      'bpf egress delete',
      'bpf egress update',
      'bpf endpoint delete',
      'bpf ipcache delete',
      'bpf ipcache update',
      'bpf metrics flush',
      'bpf multicast group add',
      'bpf multicast group delete',
      'bpf multicast subscriber add',
      'bpf multicast subscriber delete',
      'bpf nat flush',
      'bpf nat retries flush',
      'bpf policy add',
      'bpf policy delete',
      'bpf vtep delete',
      'bpf vtep update',
      'clustermesh connect',
      'clustermesh disable',
      'clustermesh disconnect',
      'clustermesh enable',
      'config delete',
      'config set',
      'connectivity perf',
      'connectivity test',
      'hubble disable',
      'hubble enable',
      'install',
      'uninstall',
      'upgrade',
      'endpoint disconnect',
      'endpoint regenerate',
      'envoy admin logging set global',
      'envoy admin logging set loggers',
      'encrypt create-key',
      'encrypt rotate-key',
      'encryption create-key',
      'encryption rotate-key',
      'fqdn cache clean',
      'multicast add',
      'multicast delete',
      'policy delete',
      'prefilter delete',
      'prefilter update',
      'recorder delete',
      'recorder update',
      'service delete',
      'service update',
    ].map((verb) => [verb, CHANGES]),
  ),
  'bpf maps dump': HERE,
  'bpf maps list': HERE,
  doctor: 'reads the kernel of this machine: what an archive tells of it is compared below',
  'hubble export otlp': 'sends what hubble observe prints to a collector',
  'hubble record': COMING,
  'hubble reflect': COMING,
  'hubble ui': 'it serves what hubble map prints until it is stopped',
  'hubble watch peers': COMING,
  'map events': 'goes on until it is stopped',
  monitor: 'goes on until it is stopped',
  'policy trace': 'asks a question of its own; the verb says that policy simulate answers it',
  'policy wait': 'waits for what comes',
  shell: 'talks with the agent',
  sysdump: 'collects, or with --html shows an archive, which test/commands/sysdump-page.test.ts looks at',
};

/** Command lines of each verb that reads. ID is an endpoint of the node, IP its address. */
const LINES: Readonly<Record<string, () => string[][]>> = {
  ...Object.fromEntries(Object.entries(IN_POD).map(([verb, words]) => [verb, () => [[...words, ...NODE]]])),
  'bgp config advertisements': () => [[]],
  'bgp config clusters': () => [[], ['-o', 'yaml']],
  'bgp config nodes': () => [[], ['-l', 'app=b']],
  'bgp config peers': () => [[], ['-o', 'name']],
  'bgp peers': () => [NODE],
  'bpf ct orphans': () => ORPHANS,
  'bpf ct top': () => [
    ...['source', 'destination', 'pair', 'service', 'protocol', 'direction', 'port', 'pod'].map((by) => [
      ...['--by', by, ...PINNED],
    ]),
    ['-n', '2', '-o', 'json', ...PINNED],
    ['global', '--port', '443,53', ...PINNED],
    ['--where', 'direction = SVC', ...PINNED],
    ['--ip', '8.8.8.8', ...PINNED],
    ['--pod', 'default/web-app', ...PINNED],
    ['--pod', 'default/nobody', ...PINNED],
  ],
  'bpf nat orphans': () => ORPHANS,
  'bpf nat top': () => [
    ...['remote', 'egress', 'pod', 'source', 'destination', 'port', 'protocol'].map((by) => [
      ...['--by', by, ...PINNED],
    ]),
    ['-o', 'json', ...PINNED],
  ],
  'bpf egress get': () => on(['10.0.0.1', '10.0.0.2'], ['nonsense', '10.0.0.2']),
  'bpf ipcache get': () => on(['BARE_IP'], ['8.8.8.8'], ['::1'], ['nonsense']),
  'bpf ipcache match': () => on(['IP'], ['0.0.0.0/0'], ['8.8.8.0/24'], ['nonsense']),
  'bpf lb maglev get': () => on(['1'], ['1', '-o', 'json'], ['65536']),
  'bpf policy get': () =>
    on(
      ...['', 'json', 'yaml', 'jsonpath={[*].Key}'].map((format) => ['ID', '-o', format]),
      ['ID', '-n'],
      ['ID', '--numeric'],
      ['reserved:host'],
      ['64999'],
      ['64999', '-o', 'json'],
      ['nobody'],
      [],
      ['--all'],
      ['--all', '-o', 'json'],
    ),
  'bpf sha get': () => on(['5f3c'], ['5f3c', '-o', 'json'], ['5f3c', '-o', 'yaml'], ['abcd'], ['a/b']),
  'bgp route-policies': () => [NODE],
  'bgp routes': () => [NODE],
  'cgroups list': () => [NODE],
  'clustermesh inspect-policy-default-local-cluster': () => [[], ['-A'], ['-A', '-o', 'json']],
  // In whole of a mesh that is connected: secrets.test.ts.
  'clustermesh status': () => [[], ['-o', 'json']],
  config: () => [NODE, ['-a', ...NODE]],
  'config drift': () => [[], ['-o', 'json']],
  'config get': () => [['PolicyEnforcement', ...NODE]],
  'config lint': () => [['--live']],
  'config view': () => [[]],
  'connectivity check': () => [
    ['default/producer-1', 'default/api-5c6', '--port', '80', '--no-try'],
    ['default/producer-1', 'default/api-5c6', '--port', '80', '--no-try', '-o', 'json'],
  ],
  'egress-gateway list': () => [[]],
  'egress-gateway status': () => [[]],
  'encrypt key-status': () => [[], ['-o', 'json']],
  'encryption key-status': () => [[]],
  'encrypt status': () => [[], NODE, ['--cluster']],
  'encryption status': () => [[]],
  'endpoint config': () => [['ID', ...NODE]],
  'endpoint get': () => [
    ['ID', ...NODE],
    ['12345', ...NODE],
  ],
  'endpoint health': () => [['ID', ...NODE]],
  'endpoint labels': () => [['ID', ...NODE]],
  'endpoint list': () => [
    [],
    ['-A', '-o', 'wide'],
    ['-A', '-o', 'yaml'],
    ['-A', '-l', 'a=b'],
    NODE,
    ['--pod', 'POD'],
    ['--all-nodes'],
    ['--all-nodes', '-o', 'json'],
  ],
  'endpoint log': () => [['ID', ...NODE]],
  'envoy admin certs': () => [NODE, ['--node', 'node3']],
  'envoy admin clusters': () => [NODE, ['-o', 'json', ...NODE]],
  'envoy admin config': () => [NODE, ...RESOURCES.map((type) => [type, ...NODE])],
  'envoy admin listeners': () => [NODE, ['-o', 'json', ...NODE]],
  'envoy admin logging list': () => [NODE],
  'envoy admin metrics': () => [NODE],
  'envoy admin serverinfo': () => [NODE],
  'features status': () => [[]],
  'fqdn cache list': () => [NODE],
  'fqdn names': () => [NODE],
  'hubble list namespaces': () => [
    NODE,
    ...FORMATS.map((format) => ['-o', format, ...NODE]),
    ['--all-nodes'],
  ],
  'hubble list nodes': () => [NODE, ...FORMATS.map((format) => ['-o', format, ...NODE])],
  'hubble observe agent-events': () => EVENTS,
  'hubble observe debug-events': () => EVENTS,
  'hubble status': () => [
    NODE,
    ...['compact', 'dict', 'json', 'table', 'odd'].map((format) => ['-o', format, ...NODE]),
    ['--all-nodes'],
  ],
  'observe agent-events': () => [NODE],
  'observe debug-events': () => [NODE],
  'hubble map': () => [NODE, ['--all', '-o', 'json', ...NODE]],
  'hubble report': () => [['-o', '-', '--format', 'svg', ...NODE]],
  'hubble observe': () => [
    NODE,
    ['--last', '50', ...NODE],
    ['--first', '7', '-o', 'jsonpb', ...NODE],
    ['--all', '--verdict', 'DROPPED', '-o', 'compact', ...NODE],
    ['--since', '1h', '--top', 'verdict', ...NODE],
    ['--all-nodes', '--last', '5'],
  ],
  'hubble observe flows': () => [NODE],
  observe: () => [NODE],
  'observe flows': () => [['--last', '3', ...NODE]],
  'identity get': () => [['1', ...NODE]],
  'identity list': () => [['--cluster'], ['--cluster', '-o', 'name'], NODE, ['--unused']],
  'ip get': () => [['IP', ...NODE]],
  'ip list': () => [NODE, ['--all-nodes']],
  'l2-announcement list': () => [[]],
  'lb-ip-pool list': () => [[]],
  logs: () => [[], ['--component', 'all'], ['--tail', '1', ...NODE], ['-o', 'json']],
  'lrp list': () => [['-A'], NODE],
  'map get': () => [['cilium_ipcache_v2', ...NODE]],
  'map list': () => [NODE, ['-o', 'json', ...NODE]],
  'metrics list': () => [NODE],
  'multicast list group': () => [[]],
  'multicast list subscriber': () => [['-g', '239.255.0.1']],
  'node list': () => [['--cluster'], NODE],
  'nodeid list': () => [NODE],
  'policy cost': () => [OF_CLUSTER],
  'policy coverage': () => [OF_CLUSTER],
  'policy get': () => [['-A'], ['-A', '-o', 'yaml'], NODE],
  'policy maps': () => [OF_CLUSTER],
  'policy replay': () => [[...OF_CLUSTER, '--flows', flows, '--candidate', policy]],
  'policy selectors': () => [NODE],
  'policy simulate': () => [[...OF_CLUSTER, '--from', 'app=a', '--to', 'app=b', '--port', '80']],
  'policy subject-selectors': () => [NODE],
  'policy suggest': () => [[...OF_CLUSTER, '--flows', flows]],
  'policy test': () => [[...OF_CLUSTER, cases]],
  'policy unused': () => [OF_CLUSTER],
  'policy validate': () => [['--live']],
  'policy why': () => [[...OF_CLUSTER, firstFlow()]],
  'preflight upgrade': () => [
    ['--to', '1.20'],
    ['--to', '1.20', '--all', '-o', 'json'],
  ],
  'prefilter list': () => [NODE],
  'recorder get': () => [['1', ...NODE]],
  'recorder list': () => [NODE],
  'service get': () => [['1', ...NODE]],
  'service list': () => [NODE, ['--all-nodes']],
  statedb: () => [
    ['health', ...NODE],
    ['dump', ...NODE],
  ],
  status: () => [
    [],
    ['-o', 'json'],
    ['--rollout'],
    ['--consistency'],
    NODE,
    ['--verbose', ...NODE],
    ['--brief', ...NODE],
    ['--all-nodes'],
  ],
  version: () => [[], NODE],
};

/** The lines of a verb for a node with maps, and one without. */
function on(...lines: readonly string[][]): string[][] {
  return [...lines.map((line) => [...line, ...PINNED]), ...lines.map((line) => [...line, ...NODE])];
}

/** What is the same of an archive: ages are those of when it was made. */
function comparable(verb: string, { stdout, code }: RunResult): Pick<RunResult, 'stdout' | 'code'> {
  return {
    code,
    stdout: verb === 'bpf nat orphans' ? stdout.replace(/Created=-?\d+sec/g, 'Created=some') : stdout,
  };
}

/** A flow that policy has decided. */
function firstFlow(): string {
  return (
    readFileSync(flows, 'utf8')
      .split('\n')
      .find((line) => line.includes('policy-verdict')) ?? '{}'
  );
}

/** In words of a line, what only the cluster tells. */
async function given(words: readonly string[]): Promise<string[]> {
  const node = words.includes('node1') ? PINNED : NODE;
  const { stdout } = await run(['endpoint', 'list', '-o', 'json', ...node, '--from', top]);
  const pod = JSON.parse(stdout).find((one: Endpoint) => one.status['external-identifiers']['k8s-pod-name']);
  const { id, status } = pod as Endpoint;
  const names = status['external-identifiers'];
  const known: Record<string, string> = {
    ID: String(id),
    IP: `${status.networking.addressing[0]?.ipv4}/32`,
    BARE_IP: status.networking.addressing[0]?.ipv4 ?? '',
    POD: `${names['k8s-namespace']}/${names['k8s-pod-name']}`,
  };
  return words.map((word) => known[word] ?? word);
}

interface Endpoint {
  id: number;
  status: {
    'external-identifiers': Record<string, string>;
    networking: { addressing: { ipv4?: string }[] };
  };
}

test('each verb that takes --from is listed here', () => {
  const listed = new Set([...Object.keys(LINES), ...Object.keys(EXCUSED)]);
  expect([...listed].toSorted()).toEqual([...reading(TREE, [], false)].toSorted());
});

test.each(['context', 'hubble port-forward', 'images'])(
  '%s is not about the state of a cluster: it does not have the flag',
  async (verb) => {
    const { stdout, stderr, code } = await cluster.run([...verb.split(' '), '--from', top]);
    expect([stdout, code]).toEqual(['', 1]);
    expect(stderr).toContain("unknown option '--from'");
  },
);

describe('a verb prints of an archive what it printed live', () => {
  test.each(Object.entries(LINES))('%s', async (verb, lines) => {
    for (const words of lines()) {
      const argv = [...verb.split(' '), ...(await given(words))];
      const live = ON_NODE.has(verb)
        ? await onNode(argv.slice(0, -PINNED.length))
        : await cluster.run(argv, { nowMs: NOW });
      const from = await run([...argv, verb === 'policy simulate' ? '--from-archive' : '--from', top]);
      const told = from.code === live.code ? '' : from.stderr;
      expect([argv, comparable(verb, from), told]).toEqual([argv, comparable(verb, live), '']);
    }
  });
});

kernelTest('what is in maps is found, so that not only errors are compared', async () => {
  for (const [words, said] of [
    [['ipcache', 'get', GONE], /maps to identity identity=\d+ /],
    [['ipcache', 'match', `${GONE}/32`], /^key 10\.11\.188\.138\/32 has value "identity=/],
    [['policy', 'get', '3800'], /^POLICY +DIRECTION +LABELS/],
    [['policy', 'get', '3800', '-n'], /^POLICY +DIRECTION +IDENTITY/],
    [['policy', 'get', '3800', '-o', 'yaml'], /^- policyentry:\n +proxyportnetwork: \d/],
    [['sha', 'get', '5f3c', '-o', 'json'], /"NodeMAC": "02:00:00:00:00:01"/],
    [['ct', 'top', '--by', 'pod'], /default\/web-app/],
    [['ct', 'top', '--where', 'direction = IN'], /[1-9]\d* entries in all/],
    [['ct', 'orphans'], /OUT 10\.11\.188\.138:\d+ -> /],
    [['nat', 'top'], /192\.168\.50\.12:443\/TCP/],
    [['nat', 'orphans'], /Created=-?\d+sec ago NeedsCT=0 \(endpoint gone\)/],
    [['nat', 'orphans', '--agent-release', '1.13'], /Created=-?\d+sec NeedsCT=0 \(endpoint gone\)/],
    [['nat', 'orphans', '-o', 'json'], /"reason": "endpoint gone"/],
  ] as const) {
    const { stdout, stderr, code } = await run(['bpf', ...words, ...PINNED, '--from', top]);
    expect([words, code, stderr]).toEqual([words, 0, '']);
    expect(stdout).toMatch(said);
  }
});

kernelTest('nothing of this machine is read for an archive', async () => {
  const env = agentEnvironment(cluster.lab.info);
  for (const words of [
    ['ct', 'top'],
    ['nat', 'top'],
    ['ct', 'orphans'],
    ['nat', 'orphans'],
  ])
    expect((await run(['bpf', ...words, ...NODE, '--from', top], { env })).stdout).not.toContain('10.11.');
  for (const words of [
    ['ipcache', 'get', GONE],
    ['policy', 'get', '3800'],
    ['maps', 'list'],
    ['maps', 'dump', 'cilium_lxc'],
  ]) {
    const { stdout, code } = await run(['bpf', ...words, ...NODE, '--from', top], { env });
    expect([words, stdout, code]).toEqual([words, '', 1]);
  }
});

kernelTest('the doctor finds in an archive what it found on the node', async () => {
  const json = ['doctor', '-o', 'json', '--fail-on', 'never'];
  const told = async ({ stdout }: RunResult) => JSON.parse(stdout) as { check: string; severity: string }[];
  const live = await told(await onNode(json));
  const from = await told(await run([...json, ...PINNED, '--from', top]));
  const known = from.filter(({ severity }) => severity !== 'skipped');
  const checks = known.map(({ check }) => check);
  expect(checks.toSorted()).toEqual(['endpoint map', 'ipcache', 'policy identities', 'policy maps']);
  expect(known).toEqual(live.filter(({ check }) => checks.includes(check)));
  expect(known).toContainEqual(expect.objectContaining({ check: 'endpoint map', severity: 'failure' }));
});

test('flows of all agents are one stream in the order of their times, and verbs that take flows read it', async () => {
  const { stdout } = await run(['hubble', 'observe', '--all', '-o', 'jsonpb', '--from', top]);
  const seen = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).flow)
    .filter((flow) => flow !== undefined);
  const each = await run(['hubble', 'observe', '--all', '-o', 'jsonpb', '--all-nodes', '--from', top]);
  expect(seen.length).toBe(each.stdout.match(/"flow":/g)?.length);
  const times = seen.map(({ time }) => Date.parse(time));
  expect(times).toEqual(times.toSorted((a, b) => a - b));
  const last = await run(['policy', 'why', '--last-drop', '--from', top]);
  expect([last.code, last.stdout]).toEqual([0, expect.stringContaining('denied')]);
});

test('hubble ui serves the flows of an archive', async () => {
  const stop = new AbortController();
  const { stdout, code } = await run(['hubble', 'ui', '--open-browser=false', '--from', top], {
    signal: stop.signal,
    onStdout: () => stop.abort(),
  });
  expect([stdout, code]).toEqual([expect.stringMatching(/^The page is at http:\S+\n$/), 0]);
});

test.each([
  [['hubble', 'observe', '--follow'], '--follow is about what happens next'],
  [
    ['envoy', 'admin', 'metrics', '-f', 'live', ...NODE],
    'holds no answer to GET /stats/prometheus?filter=live',
  ],
  [['envoy', 'admin', 'certs', '--admin-socket', '/a.sock', ...NODE], '--from and --admin-socket cannot'],
  [['bpf', 'ct', 'top', '5', ...PINNED], 'does not hold what "bpf ct list 5" printed on node node1'],
  [['bpf', 'nat', 'top', 'cluster', '5', ...PINNED], 'does not hold what "bpf nat list cluster 5" printed'],
  [['bpf', 'ct', 'top', '--watch', '5s', ...PINNED], '--watch is about what happens next'],
  [['bpf', 'ct', 'orphans', '--delete', '--yes', ...PINNED], 'changes what it is about'],
  [['bpf', 'nat', 'orphans', '--delete', '--dry-run', ...PINNED], 'changes what it is about'],
  [['bpf', 'maps', 'list', ...PINNED], 'bpf maps list reads maps as they are, and'],
  [['bpf', 'maps', 'dump', 'cilium_lxc', ...PINNED], 'bpf maps dump reads maps as they are, and'],
  [['bpf', 'ct', 'top'], 'has the agents of 3 nodes: which one is meant?'],
  [['hubble', 'observe', '--server', 'a:1'], '--from and --server cannot be used together'],
  [['hubble', 'status'], 'has the agents of 3 nodes: which one is meant?'],
  [['hubble', 'status', '--node', 'node9'], 'has no node node9'],
  [['hubble', 'observe', 'agent-events', '--follow', ...NODE], '--follow is about what happens next'],
  [['hubble', 'watch', 'peers', ...NODE], 'peers is about what a server tells while it runs'],
  [['hubble', 'record', '/nowhere/x.json', ...NODE], 'record is about what a server tells while it runs'],
  [['hubble', 'reflect'], 'reflect is about what a server tells while it runs'],
  [['hubble', 'observe', '--node', 'node9'], 'has no node node9'],
  [['monitor', '--node', 'node2'], 'expected'],
])('%j is refused', async (argv, message) => {
  const flag = argv[0] === 'monitor' ? '--from-archive' : '--from';
  const { stdout, stderr, code } = await run([...argv, flag, top]);
  expect([stdout, code]).toEqual(['', 1]);
  expect(stderr).toContain(message === 'expected' ? 'is about what happens next' : message);
});

test.each(Object.entries(EXCUSED).filter(([, why]) => why === CHANGES))(
  '%s does nothing of an archive',
  async (verb) => {
    const { stderr, code } = await run([...verb.split(' '), '--from', top], {
      env: { PATH: '/nonexistent', KUBECONFIG: cluster.kubeconfig },
    });
    // Words that a verb needs are looked for first.
    expect(stderr).toMatch(/is an archive: it is only read|[Aa]rgument|required/);
    expect(code).toBe(1);
  },
);
