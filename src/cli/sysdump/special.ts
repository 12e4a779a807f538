import type { Item, Special } from '../../cluster/sysdump/item.ts';
import type { Group, Selectors } from '../../cluster/sysdump/options.ts';
import { AGENT_CONTAINER } from '../../kube/agents.ts';
import type { KubeObject } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { agentJob } from './agents.ts';
import { bugtoolJob } from './bugtool.ts';
import { gopsJobs, profileJobs } from './gops.ts';
import { Absent, Skipped, type Work } from './jobs.ts';
import { collectHelm, KUBERNETES_TASKS } from './kubernetes.ts';
import { collectList, collectObject } from './lists.ts';
import { findPods, onChosen, type Place, type PodFacts, troublesOf } from './place.ts';
import {
  clustermeshJobs,
  cniJob,
  flowsJob,
  kvstoreJobs,
  metricsJob,
  operatorJobs,
  spireEntriesJob,
} from './pod-jobs.ts';
import { logJobs } from './pod-logs.ts';

const TEST_NAMESPACES = 'cilium-test';
/** So many pods of each kind of trouble. */
const MAX_TROUBLED = 5;

/** Where pods with these labels are looked for, and whether --node-list is about them. */
const PODS: Readonly<
  Record<keyof Selectors, { scope: 'cilium' | 'operator' | 'spire' | 'tetragon'; byNode: boolean }>
> = {
  ciliumLabelSelector: { scope: 'cilium', byNode: true },
  ciliumDaemonSetLabelSelector: { scope: 'cilium', byNode: true },
  ciliumEnvoyLabelSelector: { scope: 'cilium', byNode: true },
  ciliumOperatorLabelSelector: { scope: 'operator', byNode: false },
  clustermeshApiserverLabelSelector: { scope: 'cilium', byNode: false },
  clustermeshGenerateCertsLabelSelector: { scope: 'cilium', byNode: false },
  ciliumNodeInitSelector: { scope: 'cilium', byNode: true },
  ciliumSpireAgentSelector: { scope: 'spire', byNode: true },
  ciliumSpireServerSelector: { scope: 'spire', byNode: false },
  hubbleLabelSelector: { scope: 'cilium', byNode: true },
  hubbleRelayLabels: { scope: 'cilium', byNode: false },
  hubbleUiLabels: { scope: 'cilium', byNode: false },
  hubbleGenerateCertsLabels: { scope: 'cilium', byNode: true },
  tetragonLabelSelector: { scope: 'tetragon', byNode: true },
  tetragonOperatorLabelSelector: { scope: 'tetragon', byNode: true },
};

/** The pods that a selector finds, as its scope and --node-list have it. */
export async function podsOf(place: Place, selector: keyof Selectors): Promise<PodFacts[]> {
  const { scope, byNode } = PODS[selector];
  const namespace = place.namespaces[scope];
  if (namespace === undefined) throw new Absent(`no namespace of ${scope} is known`);
  const pods = await findPods(place, namespace, place.options[selector]);
  return byNode ? onChosen(place, pods) : pods.filter(({ node }) => node !== '');
}

/** Collects an item, or adds the jobs that do. */
export async function collectItem(place: Place, item: Item, work: Work): Promise<void> {
  if (item.kind === 'list') return await collectList(place, item, work);
  if (item.kind === 'object') return await collectObject(place, item, work);
  if (item.labels !== undefined) return await collectExtra(place, item.labels, item.group, work);
  await collectSpecial(place, item.special, item.group, work);
}

async function collectSpecial(place: Place, special: Special, group: Group, work: Work): Promise<void> {
  const { options } = place;
  const each = async (selector: keyof Selectors, jobs: (pod: PodFacts) => ReturnType<typeof gopsJobs>) => {
    const pods = await podsOf(place, selector);
    if (pods.length === 0) throw new Absent(`no pods have the labels ${options[selector]}`);
    for (const pod of pods) for (const job of jobs(pod)) work.add(job);
  };
  const agents = (jobs: (pod: PodFacts) => ReturnType<typeof gopsJobs>) => each('ciliumLabelSelector', jobs);
  if (special in KUBERNETES_TASKS)
    return await KUBERNETES_TASKS[special as keyof typeof KUBERNETES_TASKS](place, work);
  const [kind, first, second] = special.split(':');
  if (kind === 'logs') {
    const pods = await podsOf(place, first as keyof Selectors);
    if (pods.length === 0) throw new Absent(`no pods have the labels ${options[first as keyof Selectors]}`);
    for (const job of logJobs(place, pods, group)) work.add(job);
    return;
  }
  if (kind === 'helm')
    return await collectHelm(place, first as 'cilium' | 'tetragon', second as 'metadata' | 'values', work);
  switch (special) {
    case 'crashed-logs':
      return await collectCrashed(place, group, work);
    case 'logs-crashing':
      return await collectTroubled(place, group, work);
    case 'operator-metrics':
      return await each('ciliumOperatorLabelSelector', (pod) => [
        metricsJob(place, pod, 'cilium-operator', 'prometheus'),
      ]);
    case 'operator-debug':
      return await each('ciliumOperatorLabelSelector', (pod) => operatorJobs(place, pod));
    case 'clustermesh-debug':
      return await each('clustermeshApiserverLabelSelector', (pod) => clustermeshJobs(place, pod));
    case 'cni-files':
      return await agents((pod) => [cniJob(place, pod)]);
    case 'gops-agents':
      return await agents((pod) => gopsJobs(place, pod, AGENT_CONTAINER));
    case 'gops-operators':
      return await each('ciliumOperatorLabelSelector', (pod) => gopsJobs(place, pod, 'cilium-operator'));
    case 'gops-hubble':
      return await each('hubbleLabelSelector', (pod) => gopsJobs(place, pod, 'hubble'));
    case 'gops-relay':
      return await each('hubbleRelayLabels', (pod) => gopsJobs(place, pod, 'hubble-relay'));
    case 'bugtool':
      return await agents((pod) => [bugtoolJob(place, pod, 'cilium')]);
    case 'tetragon-bugtool':
      return await each('tetragonLabelSelector', (pod) => [bugtoolJob(place, pod, 'tetragon')]);
    case 'profiles-operators':
      if (!options.profiling) throw new Skipped('--profiling is off');
      return await each('ciliumOperatorLabelSelector', (pod) => profileJobs(place, pod, 'cilium-operator'));
    case 'profiles-agents':
      if (!options.profiling) throw new Skipped('--profiling is off');
      return await agents((pod) => profileJobs(place, pod, AGENT_CONTAINER));
    case 'traces-agents':
      if (!options.tracing) throw new Skipped('--tracing is off');
      return await agents((pod) => profileJobs(place, pod, AGENT_CONTAINER, { whats: ['trace'] }));
    case 'flows':
      return await agents((pod) => [flowsJob(place, pod)]);
    case 'agent-api':
      return await agents((pod) => [agentJob(place, pod)]);
    case 'spire-entries':
      return await each('ciliumSpireServerSelector', (pod) => [spireEntriesJob(place, pod)]);
    case 'kvstore': {
      if (place.config?.data.kvstore !== 'etcd') throw new Absent('the agents have no etcd');
      const running = (await podsOf(place, 'ciliumLabelSelector')).find(
        ({ pod }) => pod.status?.phase === 'Running',
      );
      if (!running) throw new Error('could not find running Cilium Pod');
      for (const job of kvstoreJobs(place, running)) work.add(job);
      return;
    }
    default:
      throw new Error(`nothing collects ${special}`);
  }
}

/** Logs of the pods with labels that the user gave. */
async function collectExtra(place: Place, labels: string, group: Group, work: Work): Promise<void> {
  const pods = onChosen(place, await findPods(place, undefined, labels));
  if (pods.length === 0) throw new Absent(`no pods have the labels ${labels}`);
  for (const job of logJobs(place, pods, group)) work.add(job);
}

/** Logs of pods of connectivity tests that crashed. */
async function collectCrashed(place: Place, group: Group, work: Work): Promise<void> {
  const namespaces = await listAll<KubeObject, string>(
    place.client,
    '/api/v1/namespaces',
    {},
    ({ metadata }) => metadata?.name,
  );
  for (const namespace of namespaces.filter((name) => name.startsWith(TEST_NAMESPACES))) {
    const pods = await findPods(place, namespace, undefined);
    const crashed = pods.filter((pod) => {
      const { crashes, restarted } = troublesOf(pod);
      return pod.node !== '' && (crashes || restarted);
    });
    for (const job of logJobs(place, crashed, group)) work.add(job);
  }
}

/** Agents that crash, were restarted or are not ready, wherever they are. */
async function findTroubled(place: Place): Promise<PodFacts[]> {
  const { cilium } = place.namespaces;
  if (!place.options.collectLogsFromNotReadyAgents || cilium === undefined) return [];
  const pods = (await findPods(place, cilium, place.options.ciliumLabelSelector)).filter(
    ({ node }) => node !== '',
  );
  const of = (kind: keyof ReturnType<typeof troublesOf>) =>
    pods.filter((pod) => troublesOf(pod)[kind]).slice(0, MAX_TROUBLED);
  return [...new Set([...of('crashes'), ...of('unready'), ...of('restarted')])];
}

async function collectTroubled(place: Place, group: Group, work: Work): Promise<void> {
  for (const job of logJobs(place, await findTroubled(place), group)) work.add(job);
}
