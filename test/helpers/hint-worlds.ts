import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { createMap, openMap } from '../../src/bpf/kernel/objects.ts';
import { readAll } from '../../src/bpf/kernel/reader.ts';
import { endpointInfo, endpointKey } from '../../src/bpf/layouts/endpoints.ts';
import { decode, encode } from '../../src/bpf/maps/codec.ts';
import { createSubscribers } from '../../src/commands/bpf/multicast/maps.ts';
import { labEnvironment } from '../../src/lab/environment.ts';
import type { AgentVersion } from '../../src/lab/version.ts';
import { buildHelper, pinNew } from './bpf.ts';
import { startTestCluster } from './cluster.ts';
import { releaseSecret, startInstallCluster } from './install-cluster.ts';
import { call, startTestLab } from './lab.ts';
import { privateFolder } from './lab-process.ts';
import { referenceArchive } from './reference-archive.ts';
import { close, listen, replay } from './replay.ts';
import { type RunOptions, type RunResult, run } from './run.ts';
import { ciliumConfig, serveStub } from './stub-cluster.ts';
import { zipOf } from './zip.ts';

/** Runs the words of a command line. */
export type Ask = (words: readonly string[]) => Promise<RunResult>;

/** Where hints are provoked and their command lines are run. Each is started when it is first asked. */
export interface HintWorlds extends AsyncDisposable {
  folder: string;
  open(name: WorldName): Promise<Ask>;
}

const SECRET = '/api/v1/namespaces/kube-system/secrets/cilium-ipsec-keys';

/** What `/healthz` of an ill agent says beside what the lab's does. */
const ILL = {
  kvstore: { state: 'Warning', msg: 'slow' },
  nodeMonitor: { lost: 3, npages: 64, cpus: 1 },
  stale: { 'check-locks': '2026-11-22T07:00:00Z' },
  kubernetes: { state: 'Odd' },
  hubble: { state: 'Ok', 'metrics-state': 'Warning' },
  'hubble-metrics': { state: 'Warning', msg: 'no port' },
  'cluster-mesh': { clusters: [{ name: 'east', status: 'no route' }] },
  controllers: [
    { name: 'resolve-labels-a/b', status: { 'consecutive-failure-count': 1 } },
    { name: 'cilium-health-ep', status: {} },
    { name: 'odd', status: { 'consecutive-failure-count': 1 } },
    { name: 'kvstore-sync', status: { 'consecutive-failure-count': 1, 'last-failure-msg': 'no answer' } },
    { name: 'endpoint-1756-regeneration-recovery', status: { 'consecutive-failure-count': 1 } },
  ],
};

/** The pods of a state, and policies that pass and ask for authentication. */
const STATE = {
  identities: ['red', 'blue'].map((namespace, i) => ({
    id: 1001 + i,
    labels: [`k8s:app=web`, `k8s:io.kubernetes.pod.namespace=${namespace}`],
  })),
  endpoints: ['red', 'blue'].map((namespace, i) => ({
    id: 1 + i,
    identity: 1001 + i,
    pod: `${namespace}/web`,
  })),
};
const PASS = `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: a}
spec:
  tier: Admin
  priority: 10
  subject: {namespaces: {}}
  ingress: [{action: Pass, from: [{namespaces: {}}]}]
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: b, namespace: red}
spec: {endpointSelector: {}, ingress: [{fromEntities: [all], authentication: {mode: required}}]}
`;

const CRD = {
  '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/ciliumnetworkpolicies.cilium.io': {
    metadata: { name: 'ciliumnetworkpolicies.cilium.io' },
    spec: {
      group: 'cilium.io',
      names: { kind: 'CiliumNetworkPolicy', plural: 'ciliumnetworkpolicies' },
      versions: [{ name: 'v2', storage: true }],
    },
  },
};

/** A DaemonSet of which no pod is ready. */
const SLOW = {
  '/apis/apps/v1/namespaces/kube-system/daemonsets/cilium': {
    kind: 'DaemonSet',
    metadata: { name: 'cilium', namespace: 'kube-system', generation: 2, labels: { 'k8s-app': 'cilium' } },
    spec: { selector: { matchLabels: { 'k8s-app': 'cilium' } }, template: { spec: { containers: [] } } },
    status: { desiredNumberScheduled: 1, numberReady: 0, updatedNumberScheduled: 0, observedGeneration: 1 },
  },
};

const FILES: Readonly<Record<string, string>> = {
  'bad.zip': 'no zip',
  'bad.jsonl': 'not a flow\n',
  'no-flows.jsonl': '',
  'values.yaml': 'tunnel: disabled\n',
  'none.yaml': 'tests: []\n',
  'state.json': JSON.stringify(STATE),
  'pass.yaml': PASS,
  'bad.parquet': 'PAR1 no PAR1',
  'netpol.yaml':
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {endpointSelector: {}, ingress: [{}]}\n',
  'encrypt.yaml':
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {endpointSelector: {}, encrypt: true}\n',
  'encryption.yaml':
    'apiVersion: cilium.io/v2\nkind: CiliumNetworkPolicy\nmetadata: {name: a}\nspec: {endpointSelector: {}, encryption: true}\n',
};

/** A key of a number, and the number that a node encrypts with. */
function storedKey(spi: number, ofNode: number): Record<string, Record<string, unknown>> {
  const keys = Buffer.from(`${spi}+ rfc4106(gcm(aes)) ${'a'.repeat(40)} 128`).toString('base64');
  return {
    [SECRET]: { metadata: { name: 'cilium-ipsec-keys', resourceVersion: String(spi) }, data: { keys } },
    '/apis/cilium.io/v2/ciliumnodes/n1': { metadata: { name: 'n1' }, spec: { encryption: { key: ofNode } } },
  };
}

function makers(folder: string, stack: AsyncDisposableStack) {
  const env = (more: Record<string, string> = {}) => ({
    PATH: process.env.PATH ?? '',
    HOME: folder,
    NO_COLOR: '1',
    ...more,
  });
  const asker =
    (more: Record<string, string>, options: RunOptions = {}): Ask =>
    (words) => {
      const stop = new AbortController();
      return run(words, {
        cwd: folder,
        nowMs: Date.now(),
        columns: 200,
        typed: ['y'],
        signal: stop.signal,
        // A page is served until somebody ends that.
        onStdout: (text) => text.startsWith('The page is at ') && stop.abort(),
        ...options,
        env: env(more),
      });
    };
  const lab = async (scenario: string, version: AgentVersion) => {
    const started = stack.use(await startTestLab({ scenario, version }));
    return { info: started.lab.info, env: labEnvironment(started.lab.info) };
  };
  /** The socket of a health daemon that another node does not answer. */
  const lostNode = async () => {
    const node = (name: string, ip: string, icmp: object) => ({
      name,
      host: { 'primary-address': { ip, icmp, http: {} } },
    });
    const nodes = [node('n1', '10.0.0.1', {}), node('n2', '10.0.0.2', { status: 'timeout' })];
    const daemon = stack.use(await replay([answerOf('/v1beta/status', { local: { name: 'n1' }, nodes })]));
    return daemon.socket;
  };
  const stubbed = (kubeconfig: string) => ({
    KUBECONFIG: kubeconfig,
    CILIUM_TARGET: 'cluster',
    CILIUM_NAMESPACE: 'kube-system',
  });
  const stub = async (objects: Record<string, Record<string, unknown>>) => {
    const served = stack.use(await serveStub({ ...Object.fromEntries([ciliumConfig({})]), ...objects }));
    return asker(stubbed(served.kubeconfig));
  };
  const install = async (objects: Record<string, object>): Promise<Ask> => {
    const cluster = stack.use(await startInstallCluster(objects));
    return asker({
      KUBECONFIG: cluster.server.kubeconfig,
      CILIUM_HELM: cluster.helm.path,
      CILIUM_TARGET: 'cluster',
    });
  };
  return {
    lab: async () => asker((await lab('incident', 'all')).env),
    'lab of 1.20': async () => asker((await lab('incident', '1.20')).env),
    'lab of 1.18': async () => asker((await lab('incident', '1.18')).env),
    'lab of 1.14': async () => asker((await lab('incident', '1.14')).env),
    'lab of 1.10': async () => asker((await lab('beginners-guide', '1.10')).env),
    'an ill agent': async () => {
      const { env: of, info } = await lab('incident', 'all');
      const server = createServer((request, response) => {
        void (async () => {
          const { method = 'GET', url = '' } = request;
          const parts: Buffer[] = [];
          for await (const part of request) parts.push(part);
          const body = parts.length > 0 ? Buffer.concat(parts).toString() : undefined;
          const answer = await call(info.sockets.agent, method, url, body, {
            'content-type': 'application/json',
          });
          const text = url.startsWith('/v1/healthz')
            ? JSON.stringify({ ...answer.json, ...ILL })
            : answer.text;
          response.writeHead(answer.status, { 'content-type': 'application/json' }).end(text);
        })();
      });
      const socket = await listen(server);
      stack.defer(() => close(server, socket));
      return asker({ ...of, CILIUM_SOCK: socket, CILIUM_HEALTH_SOCK: await lostNode() });
    },
    'a node whose maps are not as the agent says': async () => {
      buildHelper();
      const started = stack.use(await startTestLab({ scenario: 'incident', maps: 'on' }));
      const { info } = started.lab;
      await disturb(join(info.bpfRoot, 'tc/globals'));
      return asker(labEnvironment(info));
    },
    'an agent that is well beside a node that does not answer': async () =>
      asker({ ...(await lab('beginners-guide', 'all')).env, CILIUM_HEALTH_SOCK: await lostNode() }),
    'an agent that knows no node': async () => {
      const agent = stack.use(await replay([answerOf('/v1/node/ids', [])]));
      return asker({ CILIUM_SOCK: agent.socket });
    },
    cluster: async () => {
      const cluster = stack.use(await startTestCluster());
      return asker({ KUBECONFIG: cluster.kubeconfig, CILIUM_TARGET: 'cluster' });
    },
    'a cluster before its upgrade': async () => {
      const cluster = stack.use(await startTestCluster({ nodes: 2, version: '1.19' }));
      const pods = '/api/v1/namespaces/kube-system/pods';
      const { json } = await cluster.call('GET', `${pods}?labelSelector=k8s-app=cilium`);
      const [agent] = (json as { items: { metadata: { name: string } }[] }).items;
      const containers = [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.18.2' }];
      const type = 'application/strategic-merge-patch+json';
      const stray = {
        metadata: { name: 'stray', namespace: 'default' },
        spec: { nodeName: 'node1', containers },
        status: { phase: 'Running', podIP: '10.0.0.99' },
      };
      await cluster.call('POST', '/api/v1/namespaces/default/pods', stray, 'application/json');
      await cluster.call('PATCH', `${pods}/${agent?.metadata.name}`, { spec: { containers } }, type);
      return asker({ KUBECONFIG: cluster.kubeconfig, CILIUM_TARGET: 'cluster' });
    },
    'nothing at all': async () => {
      const ask = asker({ SHELL: '/bin/bash', XDG_RUNTIME_DIR: folder });
      // Also what a test that failed has left.
      stack.defer(async () => void (await ask(['lab', 'stop', '--all'])));
      return ask;
    },
    'no Linux': async () => {
      const socket = { CILIUM_SOCK: join(folder, 'none.sock') };
      return asker({ XDG_RUNTIME_DIR: folder, ...socket }, { platform: 'darwin' });
    },
    'a shell of its own kind': async () => asker({ SHELL: '/bin/tcsh' }),
    'no home': async () => {
      return (words: readonly string[]) => run(words, { cwd: folder, env: { HOME: '', SHELL: '/bin/bash' } });
    },
    'no key': () => stub({}),
    'a rotation under way': () => stub(storedKey(3, 2)),
    'a key that others change': async () => {
      const served = stack.use(
        await serveStub({ ...Object.fromEntries([ciliumConfig({})]), ...storedKey(3, 3) }),
      );
      served.before = (line) => {
        if (!line.startsWith('PATCH')) return;
        for (const [path, object] of Object.entries(storedKey(4, 3))) served.objects.set(path, object);
      };
      return asker(stubbed(served.kubeconfig));
    },
    'no release': () => install({}),
    'a release': () => install(releaseSecret()),
    'a release with definitions': () => install({ ...releaseSecret(), ...CRD }),
    'a release that does not get ready': () => install({ ...releaseSecret(), ...SLOW }),
    'a release that hangs': () => install(releaseSecret({ status: 'pending-install' })),
  };
}

export type WorldName = keyof ReturnType<typeof makers>;

function answerOf(path: string, body: unknown) {
  return {
    request: { method: 'GET', path },
    response: { status: 200, contentType: 'application/json', body: JSON.stringify(body) },
  };
}

/** An address too many, one with no identity, a policy map that is gone, and one of sizes that no release has. */
async function disturb(globals: string): Promise<void> {
  using endpoints = openMap(join(globals, 'cilium_lxc'), { write: true });
  const [entry] = (await readAll(endpoints)).filter(({ value }) => decode(endpointInfo, value).flags === 0);
  if (!entry) throw new Error('the lab has no endpoint');
  const address = decode(endpointKey, entry.key);
  endpoints.update(
    encode(endpointKey, { ...address, ip: '10.99.0.9' }),
    encode(endpointInfo, { ...decode(endpointInfo, entry.value), endpointId: 60_001 }),
  );
  rmSync(join(globals, 'cilium_policy_v3_01897'));
  using addresses = openMap(join(globals, 'cilium_ipcache_v2'), { write: true });
  for (const { key } of await readAll(addresses)) addresses.delete(key);
  rmSync(join(globals, 'cilium_node_map_v2'), { force: true });
  using strange = createMap({ type: 'hash', keySize: 3, valueSize: 2, maxEntries: 4 });
  strange.update(Buffer.from('abcdef', 'hex'), Buffer.from('0102', 'hex'));
  strange.pin(join(globals, 'cilium_node_map_v2'));
  using inner = createSubscribers();
  const outer = { type: 'hash_of_maps', keySize: 4, valueSize: 4, maxEntries: 8, inner } as const;
  pinNew(join(globals, 'cilium_mcast_group_outer_v4_map'), outer);
}

/** A folder with files for hints, and worlds that are started in it. */
export function startHintWorlds(): HintWorlds {
  const stack = new AsyncDisposableStack();
  const { path } = stack.use(privateFolder());
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(path, name), text);
  writeFileSync(join(path, 'dump.zip'), zipOf(referenceArchive()));
  mkdirSync(join(path, 'empty'));
  mkdirSync(join(path, 'mesh'));
  writeFileSync(join(path, 'mesh/east'), 'endpoints:\n- https://127.0.0.1:1\n');
  const make = makers(path, stack);
  const open = new Map<WorldName, Promise<Ask>>();
  return {
    folder: path,
    open: (name) => {
      const found = open.get(name) ?? make[name]();
      open.set(name, found);
      return found;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
