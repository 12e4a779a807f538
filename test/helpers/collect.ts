import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DEFAULT_SOCKET } from '../../src/agent/client.ts';
import { HttpClient } from '../../src/agent/http/http.ts';
import {
  AGENT_INDEX,
  ARCHIVE_FORMAT,
  type ArchivedAgent,
  agentFolder,
  type CommandRun,
  type Exchange,
  fileTime,
  flowsFile,
  INDEX,
  logFile,
  timedFile,
} from '../../src/archive/layout.ts';
import { listAgents } from '../../src/kube/agents.ts';
import { KubeClient, type KubeObject } from '../../src/kube/client.ts';
import { exec } from '../../src/kube/exec.ts';
import { listLogs } from '../../src/kube/log-sources.ts';
import { findRelease } from '../../src/kube/release.ts';
import { openRoadTo } from '../../src/kube/road.ts';
import { goYaml } from '../../src/render/text/yaml.ts';

/** Lists of a cluster, by the stem of their file. */
const LISTS: Readonly<Record<string, string>> = {
  'k8s-nodes': '/api/v1/nodes',
  'k8s-namespaces': '/api/v1/namespaces',
  'k8s-pods': '/api/v1/pods',
  'k8s-services': '/api/v1/services',
  'k8s-events': '/api/v1/events',
  'k8s-endpointslices': '/apis/discovery.k8s.io/v1/endpointslices',
  'k8s-networkpolicies': '/apis/networking.k8s.io/v1/networkpolicies',
  'cilium-daemonset': '/apis/apps/v1/daemonsets',
  'cilium-operator-deployment': '/apis/apps/v1/deployments',
  'cilium-configmap': '/api/v1/namespaces/kube-system/configmaps',
  'k8s-controllerrevisions': '/apis/apps/v1/controllerrevisions',
  'k8s-replicasets': '/apis/apps/v1/replicasets',
  ...Object.fromEntries(
    [
      'ciliumnetworkpolicies',
      'ciliumclusterwidenetworkpolicies',
      'ciliumendpoints',
      'ciliumidentities',
      'ciliumnodes',
      'ciliumnodeconfigs',
      'ciliumlocalredirectpolicies',
      'ciliumegressgatewaypolicies',
      'ciliumloadbalancerippools',
      'ciliumcidrgroups',
      'ciliumbgpclusterconfigs',
      'ciliumbgppeerconfigs',
      'ciliumbgpadvertisements',
      'ciliumbgpnodeconfigs',
    ].map((plural) => [plural, `/apis/cilium.io/v2/${plural}`]),
  ),
  ciliuml2announcementpolicies: '/apis/cilium.io/v2alpha1/ciliuml2announcementpolicies',
  ciliumendpointslices: '/apis/cilium.io/v2alpha1/ciliumendpointslices',
};

const AGENT_PATHS = [
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
  '/v1/map',
  '/v1/map/cilium_ipcache_v2',
  '/v1/lrp',
  '/v1/recorder',
  '/v1/recorder/masks',
  '/v1/metrics/',
  '/v1/fqdn/cache',
  '/v1/fqdn/names',
  '/v1/prefilter',
  '/v1/cgroup-dump-metadata',
  '/v1/cluster/nodes',
  '/v1/node/ids',
  '/v1/bgp/peers',
  '/v1/bgp/route-policies',
  '/v1/debuginfo',
  '/v1/bgp/routes?afi=ipv4&safi=unicast&table_type=loc-rib',
  '/v1beta/status',
  '/statedb/dump',
];

/** Writes an archive of a cluster as "cilium sysdump" lays it out, into a folder. Returns its top. */
export async function collect(
  kubeconfig: string,
  folder: string,
  {
    now,
    everywhere = [],
    commands = [],
    commandNode = 'node2',
  }: { now: Date; everywhere?: readonly string[][]; commands?: readonly string[][]; commandNode?: string },
): Promise<string> {
  const signal = new AbortController().signal;
  await using client = await KubeClient.open({ env: {}, signal, kubeconfig });
  const time = fileTime(now);
  const top = join(folder, `cilium-sysdump-${time}`);
  const write = (name: string, text: string | Buffer) => {
    mkdirSync(dirname(join(top, name)), { recursive: true });
    writeFileSync(join(top, name), text);
  };
  for (const [stem, path] of Object.entries(LISTS)) {
    const list = await client.find<{ items?: KubeObject[] }>({ path });
    if (list)
      write(
        timedFile(stem, time, 'yaml'),
        goYaml({ apiVersion: 'v1', items: list.items ?? [], kind: 'List' }),
      );
  }
  const release = await findRelease(client, 'kube-system', 'cilium');
  if (release) {
    const { name, revision, status, chartVersion, values } = release;
    const metadata = {
      name,
      chart: 'cilium',
      version: chartVersion,
      namespace: 'kube-system',
      revision,
      status,
    };
    write(timedFile('cilium-helm-metadata', time, 'yaml'), goYaml(metadata));
    write(timedFile('cilium-helm-values', time, 'yaml'), goYaml(values));
  }
  const agents = await listAgents(client);
  for (const { node, pod, namespace } of agents) {
    const dial = openRoadTo(client, { node, pod, namespace });
    const http = new HttpClient({ network: 'unix', target: DEFAULT_SOCKET }, dial);
    const own = `${agentFolder(node)}/`;
    const exchanges: Exchange[] = [];
    const health = new HttpClient({ network: 'unix', target: '/var/run/cilium/health.sock' }, dial);
    const ask = async (path: string) => {
      const server = path.startsWith('/v1beta/') ? health : http;
      const { status, contentType, body } = await server.request({ method: 'GET', path });
      const file = `rest/${exchanges.length}`;
      write(own + file, body);
      exchanges.push({ path, status, type: contentType, file });
      return body.toString();
    };
    for (const path of AGENT_PATHS) await ask(path);
    for (const { id } of JSON.parse(await ask('/v1/endpoint')) as { id: number }[])
      for (const part of ['log', 'healthz', 'labels', 'config']) await ask(`/v1/endpoint/${id}/${part}`);
    const runs: CommandRun[] = [];
    for (const argv of [...everywhere, ...(node === commandNode ? commands : [])]) {
      const { exitCode, stdout, stderr } = await exec(client, {
        namespace,
        pod,
        container: 'cilium-agent',
        command: argv,
      });
      const name = `cmd/${runs.length}`;
      write(`${own}${name}.out`, stdout);
      write(`${own}${name}.err`, stderr);
      runs.push({ argv, exitCode, stdout: `${name}.out`, stderr: `${name}.err` });
    }
    const index: ArchivedAgent = {
      format: ARCHIVE_FORMAT,
      node,
      pod,
      namespace,
      collectedAt: now.toISOString(),
      exchanges,
      commands: runs,
    };
    write(own + AGENT_INDEX, JSON.stringify(index));
    const flows = await exec(client, {
      namespace,
      pod,
      container: 'cilium-agent',
      command: ['hubble', 'observe', '--last', '10000', '-o', 'jsonpb'],
    });
    write(flowsFile(pod, time), flows.stdout);
  }
  for (const component of ['agent', 'operator', 'relay'] as const)
    for (const { namespace, pod, container } of await listLogs(client, 'kube-system', component)) {
      const log = await client.open({
        path: `/api/v1/namespaces/${namespace}/pods/${pod}/log`,
        query: { container, timestamps: true },
        accept: '*/*',
      });
      write(logFile(pod, container, time), Buffer.concat(await log.toArray()));
    }
  write(
    INDEX,
    JSON.stringify({
      format: ARCHIVE_FORMAT,
      writer: 'test',
      timestamp: time,
      startedAt: now.toISOString(),
      isComplete: true,
      isRedacted: false,
      server: '',
      namespace: 'kube-system',
      nodes: agents.map(({ node }) => node),
      tasks: [],
    }),
  );
  return top;
}
