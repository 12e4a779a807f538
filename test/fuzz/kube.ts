import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { errorMessage, UserError } from '../../src/errors.ts';
import { watch } from '../../src/kube/watch.ts';
import { forTerminal } from '../../src/render/text/sanitize.ts';
import { recordedMessages, serveGrpc } from '../helpers/grpc.ts';
import { kubeClient, serveKube } from '../helpers/kube.ts';
import { end, forwarding, SUCCESS, say } from '../helpers/kubelet.ts';
import { fixture, type RestCase } from '../helpers/recordings.ts';
import { type RunResult, run } from '../helpers/run.ts';
import { mutateDocument } from './files.ts';
import { mutateBytes, mutateJson } from './mutate.ts';
import { type OpenTarget, packed, unpacked } from './target.ts';

const pod = (name: string, node: string) => ({
  metadata: {
    name,
    namespace: 'kube-system',
    labels: { 'k8s-app': 'cilium' },
    annotations: { a: 'b' },
    resourceVersion: '7',
    ownerReferences: [{ kind: 'DaemonSet', name: 'cilium', uid: 'u' }],
  },
  spec: { nodeName: node },
  status: {
    phase: 'Running',
    conditions: [{ type: 'Ready', status: 'True' }],
    containerStatuses: [{ name: 'cilium-agent', ready: true, state: { running: {} } }],
    initContainerStatuses: [{ name: 'mount', state: { terminated: { reason: 'Completed', exitCode: 0 } } }],
  },
});
const node = (name: string) => ({
  metadata: {
    name,
    labels: { 'config.cilium.io/debug': 'true' },
    annotations: { 'config.cilium.io/x': 'y' },
  },
});
const list = (...items: object[]) => ({ metadata: { resourceVersion: '7' }, items });
const CONFIG_MAP = {
  metadata: {
    name: 'cilium-config',
    namespace: 'kube-system',
    resourceVersion: '3',
    annotations: { 'meta.helm.sh/release-name': 'cilium' },
    managedFields: [
      { manager: 'helm', operation: 'Update', fieldsV1: { 'f:data': { '.': {}, 'f:debug': {} } } },
      { manager: 'cilium-toolkit', operation: 'Apply', fieldsV1: { 'f:data': { 'f:mtu': {} } } },
    ],
  },
  data: { debug: 'false', mtu: '1500' },
};
const POLICY = {
  metadata: { name: 'web', namespace: 'shop', managedFields: [{ manager: 'm' }] },
  spec: { endpointSelector: { matchLabels: { app: 'web' } }, ingress: [{ fromEndpoints: [{}] }] },
};
const NODE_CONFIG = {
  metadata: { name: 'c' },
  spec: { defaults: { mtu: '9000' }, nodeSelector: { matchLabels: { a: 'b' } } },
};
const WORKLOAD = {
  metadata: { name: 'cilium', namespace: 'kube-system', generation: 2 },
  spec: {
    replicas: 1,
    selector: { matchLabels: { 'k8s-app': 'cilium' } },
    updateStrategy: { type: 'RollingUpdate' },
  },
  status: { observedGeneration: 2, desiredNumberScheduled: 1, updatedNumberScheduled: 1, numberAvailable: 1 },
};
const FAILED = {
  kind: 'Status',
  status: 'Failure',
  code: 409,
  reason: 'Conflict',
  message: 'Apply failed with 1 conflict',
  details: {
    name: 'web',
    kind: 'pods',
    causes: [
      { reason: 'FieldManagerConflict', message: 'conflict with "helm" using v1', field: '.data.debug' },
    ],
  },
};
const EVENTS = [
  { type: 'ADDED', object: pod('a', 'n1') },
  { type: 'MODIFIED', object: pod('a', 'n2') },
  { type: 'BOOKMARK', object: { metadata: { resourceVersion: '12' } } },
  { type: 'ERROR', object: { ...FAILED, code: 403 } },
];

const TABLE = {
  kind: 'Table',
  columnDefinitions: [
    { name: 'Name', priority: 0 },
    { name: 'Wide', priority: 1 },
  ],
  rows: [{ cells: ['web', 7], object: { metadata: { name: 'web', namespace: 'shop' } } }],
};
const ENDPOINT = {
  metadata: { name: 'web', namespace: 'shop' },
  status: {
    identity: { id: 1001, labels: ['k8s:app=web'] },
    networking: { addressing: [{ ipv4: '10.0.0.1' }] },
    'named-ports': [{ name: 'http', port: 80, protocol: 'TCP' }],
  },
};
const IDENTITY = { metadata: { name: '1001' }, 'security-labels': { 'k8s:app': 'web' } };
const CILIUM_NODE = {
  metadata: { name: 'n1' },
  spec: { addresses: [{ type: 'InternalIP', ip: '10.1.1.1' }] },
};
const SERVICE = {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { clusterIP: '10.2.0.1', ports: [{ port: 80, targetPort: 'http', protocol: 'TCP' }] },
};

const RELAY_SERVICE = {
  metadata: { name: 'hubble-relay', namespace: 'kube-system' },
  spec: {
    clusterIP: '10.2.0.9',
    selector: { 'k8s-app': 'hubble-relay' },
    ports: [{ port: 80, targetPort: 'grpc', protocol: 'TCP' }],
  },
};
const RELAY = {
  metadata: { name: 'hubble-relay-1', namespace: 'kube-system' },
  spec: {
    nodeName: 'n1',
    containers: [{ name: 'hubble-relay', ports: [{ name: 'grpc', containerPort: 4245 }] }],
  },
  status: {
    phase: 'Running',
    containerStatuses: [{ name: 'hubble-relay', ready: true, state: { running: {} } }],
  },
};
const DAEMON_SET = {
  ...WORKLOAD,
  spec: {
    ...WORKLOAD.spec,
    template: {
      spec: { containers: [{ name: 'cilium-agent', image: 'quay.io/cilium/cilium:v1.20.1@sha256:0' }] },
    },
  },
};
/** A release as Helm keeps it, before it is packed. */
const RELEASE = {
  name: 'cilium',
  version: 1,
  info: { status: 'deployed' },
  chart: { metadata: { name: 'cilium', version: '1.20.1' } },
  config: { debug: { enabled: true } },
  manifest:
    '---\nkind: Secret\n---\n# Source: x\nkind: ConfigMap\napiVersion: v1\nmetadata: {name: cilium-config}\ndata:\n  debug: "true"\n  mtu: &m "1500"\n  other: *m\n',
};
const OBJECT = {
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-11-01T00:00:00Z' },
  spec: {
    blocks: [{ cidr: '10.9.0.0/16' }, { start: '10.8.0.1', stop: '10.8.0.9' }],
    disabled: false,
    serviceSelector: { matchLabels: { a: 'b' } },
    interfaces: ['^eth.*'],
    destinationCIDRs: ['0.0.0.0/0'],
    egressGateway: { egressIP: '10.0.0.1', nodeSelector: {} },
    selectors: [{ podSelector: {} }],
    bgpInstances: [{ name: 'i', localASN: 65001, peers: [{ name: 'p', peerASN: 65002 }] }],
    timers: { holdTimeSeconds: 9 },
    advertisements: [{ advertisementType: 'PodCIDR', attributes: { localPreference: 7 } }],
    redirectBackend: { localEndpointSelector: {}, toPorts: [{ port: '53' }] },
  },
  status: { conditions: [{ type: 'cilium.io/PoolConflict', status: 'False', message: 'm' }] },
};
const LISTED = [
  'ciliumloadbalancerippools',
  'ciliuml2announcementpolicies',
  'ciliumegressgatewaypolicies',
  'ciliumlocalredirectpolicies',
  'ciliumbgpclusterconfigs',
  'ciliumbgppeerconfigs',
  'ciliumbgpadvertisements',
];

/** What the API server says, by the end of its path. */
const ANSWERS: readonly (readonly [string, object])[] = [
  ['/pods', list(pod('cilium-1', 'n1'), pod('cilium-2', 'n2'))],
  ['/pods/web', pod('web', 'n1')],
  ['/nodes', list(node('n1'), node('n2'))],
  ['/nodes/n1', node('n1')],
  ['/configmaps/cilium-config', CONFIG_MAP],
  ['/ciliumnodeconfigs', list(NODE_CONFIG)],
  ['/ciliumnetworkpolicies', list(POLICY)],
  ['/ciliumclusterwidenetworkpolicies', list(POLICY)],
  ['/ciliumnetworkpolicies/web', POLICY],
  ['/daemonsets', list(DAEMON_SET)],
  ['/deployments', list(WORKLOAD)],
  ['/daemonsets/cilium', DAEMON_SET],
  ['/deployments/cilium', WORKLOAD],
  ['/ciliumendpoints', { ...TABLE, ...list(ENDPOINT) }],
  ['/ciliumidentities', { ...TABLE, ...list(IDENTITY) }],
  ['/ciliumnodes', { ...TABLE, ...list(CILIUM_NODE) }],
  ['/namespaces', list({ metadata: { name: 'shop', labels: { team: 'a' } } })],
  ['/services', list(SERVICE)],
  ['/networkpolicies', list(POLICY)],
  ['/secrets', list({ metadata: { name: 'sh.helm.release.v1.cilium.v1', labels: { status: 'deployed' } } })],
  ['/services/hubble-relay', RELAY_SERVICE],
  ...LISTED.map((plural) => [`/${plural}`, { ...TABLE, ...list(OBJECT) }] as const),
];
/** Listed instead of the agents where this label is asked for. */
const RELAY_PODS = 'k8s-app=hubble-relay';
const VERBS: readonly string[][] = [
  ['status', '--node', 'n1'],
  ['endpoint', 'list', '--node', 'n1'],
  ['endpoint', 'list', '-o', 'json', '--pod', 'shop/web'],
  ['status', '--all-nodes'],
  ['endpoint', 'list', '--all-nodes', '-o', 'json'],
  [
    'build-config',
    '--node-name',
    'n1',
    '--source',
    'config-map:kube-system/cilium-config,node:n1,cilium-node-config:kube-system',
  ],
  ['preflight', 'validate-cnp'],
  ['status', '--cluster', '--timeout', '2s'],
  ['status', '--cluster', '--unmanaged', '-o', 'json', '--timeout', '2s'],
  ['endpoint', 'list', '-A', '-o', 'wide'],
  ['endpoint', 'list', '-A', '-o', 'custom-columns=A:.metadata.name,B:.status.identity'],
  ['identity', 'list', '--unused'],
  ['node', 'list', '--cluster', '-o', 'name'],
  ['policy', 'coverage', '--state', 'cluster'],
  ['policy', 'unused', '--state', 'cluster'],
  ['policy', 'simulate', '--state', 'cluster', '--from', 'shop/web', '--to', 'world', '--port', '80/TCP'],
  ['policy', 'import', 'POLICY', '--via', 'kubernetes', '--prune', 'a=b', '--dry-run'],
  ['policy', 'import', 'POLICY', '--via', 'kubernetes'],
  ['policy', 'import', 'POLICY', '--via', 'kubernetes', '--dry-run'],
  ['config', 'view'],
  ['config', 'view', '-o', 'json'],
  ['config', 'set', 'debug', 'true', '--dry-run'],
  ['config', 'delete', 'mtu', '--dry-run'],
  ['watch'],
  ['config', 'drift', '--timeout', '2s'],
  ['config', 'drift', '--timeout', '2s'],
  ['config', 'drift', '-o', 'json', '--timeout', '2s'],
  ['lb-ip-pool', 'list'],
  ['l2-announcement', 'list', '-o', 'wide'],
  ['egress-gateway', 'list', '-o', 'custom-columns=A:.metadata.name,B:.spec.egressGateway'],
  ['lrp', 'list', '--cluster', '-o', 'json'],
  ['bgp', 'config', 'clusters'],
  ['bgp', 'config', 'peers', '-o', 'wide'],
  ['bgp', 'config', 'advertisements'],
  ['hubble', 'list', 'nodes', '-P'],
  ['hubble', 'list', 'nodes', '-P', '-o', 'wide'],
  ['hubble', 'observe', '-P', '--last', '3'],
];
const CNP = `apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: web, namespace: shop}
spec: {endpointSelector: {}, ingress: [{}]}
`;

/** Answers of an API server, watches, what arrives of a command in a pod, and kubeconfigs. */
export const openKube: OpenTarget = async (folder, onClose) => {
  const cases = fixture<RestCase[]>('recordings/agent-1.20.json').flatMap(({ exchanges = [] }) => exchanges);
  const agent = new Map(cases.map(({ request, response }) => [request.path, response.body]));
  let data: Readonly<Record<string, string>> = {};
  const relay = onClose.use(
    await serveGrpc({
      '/observer.Observer/GetNodes': { messages: recordedMessages('relay-GetNodes.grpc') },
      '/observer.Observer/GetFlows': { messages: recordedMessages('relay-GetFlows-100.grpc').slice(0, 3) },
    }),
  );
  const forward = forwarding(() => relay.address.replace(/^unix:\/*/, '/'));
  const server = onClose.use(
    await serveKube(
      (request, response) => {
        request.resume();
        const url = new URL(request.url ?? '', 'http://x');
        const watches = url.searchParams.has('watch');
        const label = url.searchParams.get('labelSelector');
        const known = ANSWERS.map(([end]) => end).find((end) => url.pathname.endsWith(end));
        const asked = label === RELAY_PODS ? 'relay' : url.pathname.includes('/secrets/') ? 'release' : known;
        const key = watches ? 'watch' : asked;
        const [, status = '404', text = '{}'] = /^(\d{3}) (.*)$/s.exec(data[key ?? ''] ?? '') ?? [];
        response.writeHead(Number(status), { 'content-type': 'application/json' }).end(unpacked(text));
      },
      (socket, url) => {
        socket.on('error', () => {});
        if (url.pathname.endsWith('/portforward')) {
          if (data.frame === undefined) return forward(socket, url);
          socket.send(Buffer.concat([Buffer.from([0, 0x95, 0x10]), unpacked(data.frame)]));
          socket.send(Buffer.concat([Buffer.from([1, 0x95, 0x10]), unpacked(data.first)]));
          return socket.close(1000);
        }
        if (data.first !== undefined) socket.send(unpacked(data.first));
        else say(socket, 1, '+');
        socket.on('message', (bytes: Buffer) => {
          if (bytes[0] !== 0) return;
          const path = /^GET (\S+)/.exec(bytes.subarray(1).toString())?.[1] ?? '';
          const body = data.agent ?? agent.get(path) ?? '{}';
          const head = `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
          if (data.frame !== undefined) socket.send(unpacked(data.frame));
          else say(socket, 1, head + body);
          if (data.status !== undefined) say(socket, 3, unpacked(data.status));
          else end(socket, SUCCESS);
          socket.close(1000);
        });
      },
    ),
  );
  const kubeconfig = {
    clusters: [{ name: 'c', cluster: { server: 'URL' } }],
    contexts: [{ name: 'k', context: { cluster: 'c', user: 'u', namespace: 'd' } }],
    users: [{ name: 'u', user: { token: 't' } }],
    'current-context': 'k',
  };
  const paths = { config: join(folder, 'kubeconfig'), policy: join(folder, 'kube.yaml') };
  writeFileSync(paths.policy, CNP);
  return {
    make(random) {
      const argv = [...random.pick(VERBS)];
      const answers = [...ANSWERS, ['watch', EVENTS] as const].map(([end, value]) => {
        const fails = random.chance(0.05);
        const given = fails ? FAILED : value;
        const spoil = (text: string) => (random.chance(0.35) ? mutateJson(text, random) : text);
        const text = Array.isArray(given)
          ? given
              .slice(0, 1 + random.below(4))
              .map((event) => spoil(JSON.stringify(event)))
              .join('\n')
          : spoil(JSON.stringify(given));
        return [
          end,
          `${fails ? random.pick([400, 401, 403, 409, 410, 429, 500]) : 200} ${packed(Buffer.from(text))}`,
        ];
      });
      const frame = (text: string) =>
        packed(mutateBytes(Buffer.concat([Buffer.of(1), Buffer.from(text)]), random));
      const parts: [string, string][] = [];
      if (random.chance(0.1)) parts.push(['first', frame('+')]);
      if (random.chance(0.2)) parts.push(['frame', frame('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}')]);
      if (random.chance(0.3)) parts.push(['status', mutateJson(JSON.stringify(FAILED), random)]);
      if (random.chance(0.2)) parts.push(['agent', mutateJson(random.pick([...agent.values()]), random)]);
      const spoilt = (value: object) => {
        const text = JSON.stringify(value);
        return random.chance(0.35) ? mutateJson(text, random) : text;
      };
      parts.push(['relay', `200 ${packed(Buffer.from(spoilt(list(RELAY))))}`]);
      const zipped = gzipSync(spoilt(RELEASE));
      const inner = (random.chance(0.1) ? mutateBytes(zipped, random) : zipped).toString('base64');
      const release = { data: { release: Buffer.from(inner).toString('base64') } };
      parts.push(['release', `200 ${random.chance(0.1) ? spoilt(release) : JSON.stringify(release)}`]);
      const config = JSON.stringify(kubeconfig);
      parts.push(['config', random.chance(0.15) ? mutateDocument(config, random) : config]);
      return { argv, data: { ...Object.fromEntries(answers), ...Object.fromEntries(parts) } };
    },
    async run({ argv, data: given }, signal) {
      data = given;
      writeFileSync(paths.config, unpacked(given.config).toString().replaceAll('URL', server.url));
      if (argv[0] === 'watch') return follow(paths.config, signal);
      const words = argv.map((word) => (word === 'POLICY' ? paths.policy : word));
      // A relay that says nothing more is waited for.
      if (argv.some((word) => /^--(?:node|pod|all-nodes)$/.test(word))) words.push('--timeout', '2s');
      if (argv[0] === 'build-config') words.push('--dest', join(folder, 'config-map'));
      return run(words, {
        signal,
        cwd: folder,
        nowMs: Date.UTC(2026, 10, 28),
        env: { KUBECONFIG: paths.config, CILIUM_SOCK: '', XDG_STATE_HOME: folder },
      });
    },
  };

  /** A watch through its first two requests. */
  async function follow(path: string, signal: AbortSignal): Promise<RunResult> {
    const lines: string[] = [];
    let requests = 0;
    const stop = new Error('enough');
    const sleep = async () => {
      if (requests++ > 1) throw stop;
    };
    try {
      await using client = await kubeClient({ ...server, kubeconfig: path }, { signal, timeoutMs: 3000 });
      const timing = { serverMs: 1000, graceMs: 1000, firstWaitMs: 1, longestWaitMs: 1 };
      for await (const event of watch(client, '/api/v1/pods', {}, timing, sleep)) {
        const told = 'object' in event ? (event.object.metadata?.name ?? '') : '';
        lines.push(`${event.type} ${told}\n`);
        if (lines.length > 10_000) break;
      }
    } catch (error) {
      const fault = error instanceof UserError || error === stop ? '' : 'a fault in the toolkit itself: ';
      const text = fault ? (error as Error).stack : errorMessage(error);
      return { stdout: forTerminal(lines.join('')), stderr: forTerminal(`${fault}${text}`), code: 1 };
    }
    return { stdout: forTerminal(lines.join('')), stderr: '', code: 0 };
  }
};
