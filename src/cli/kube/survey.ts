import type { AgentClient } from '../../agent/client.ts';
import type { Answer } from '../../agent/decode/answer.ts';
import { listEndpoints, printedEndpoints } from '../../agent/decode/endpoints.ts';
import { printedStatus, readStatus } from '../../agent/decode/status.ts';
import { agentTrouble, brokenContainer, ClusterStatus, COMPONENT, reduceLog } from '../../cluster/status.ts';
import { type UnmanagedPod, unmanagedPods } from '../../cluster/unmanaged.ts';
import type { Context } from '../../context.ts';
import { errorMessage, isUnreachable } from '../../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';
import { CONFIG_MAP, readConfigMap } from '../../kube/config-map.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { pathIn } from '../../kube/paths.ts';
import { findRelease, ownersOf } from '../../kube/release.ts';
import { serverAnswers } from '../../kube/restart.ts';
import {
  findWorkload,
  listComponentPods,
  listEndpointNames,
  listNetworkPods,
  readRecentLog,
} from '../../kube/workloads.ts';
import { bounded } from '../../lib/bounded.ts';
import type { PackedText } from '../../lib/packed-text.ts';
import type { ComponentPod, Workload } from '../../model/cluster.ts';
import { answerText } from '../../render/cluster/status.ts';
import { Outage, RESTART_TIMES } from '../outage.ts';
import { ProgressLine } from '../progress.ts';
import { askAgent, isUncollected } from './each-agent.ts';

/** A component beside the agent: its workload, its pods, and the container whose log is worth reading. */
interface Part {
  name: string;
  type: Workload['type'];
  selector: string;
  /** Where its pods are looked for although it is not there; absent when they are not. */
  without?: string;
  container: string;
}

const PARTS: readonly Part[] = [
  { name: COMPONENT.envoy, type: 'DaemonSet', selector: 'name=cilium-envoy', container: 'cilium-envoy' },
  {
    name: COMPONENT.operator,
    type: 'Deployment',
    selector: 'name=cilium-operator',
    without: 'io.cilium/app=operator',
    container: 'cilium-operator',
  },
  {
    name: COMPONENT.relay,
    type: 'Deployment',
    selector: 'k8s-app=hubble-relay',
    without: 'app.kubernetes.io/name=hubble-relay',
    container: 'hubble-relay',
  },
  { name: COMPONENT.ui, type: 'Deployment', selector: 'k8s-app=hubble-ui', container: 'frontend' },
  {
    name: COMPONENT.clusterMesh,
    type: 'Deployment',
    selector: 'k8s-app=clustermesh-apiserver',
    without: 'k8s-app=clustermesh-apiserver',
    container: 'apiserver',
  },
];
/** Of these the reference does not read a log. */
const QUIET: ReadonlySet<string> = new Set([COMPONENT.envoy, COMPONENT.ui]);

/** How an agent is asked: by its socket, or by what its own command line prints. */
interface Way<T> {
  ask: (agent: AgentClient) => Promise<Answer<T>>;
  argv: readonly string[];
  read: (printed: unknown) => Promise<Answer<T>>;
}

const AGENT_MS = 10_000;
const LOG_BEFORE_MS = 120_000;
/** From this number of agents on, a terminal shows how many have answered. */
const MANY_AGENTS = 20;

/** How a cluster is looked at. */
export interface SurveyOptions {
  /** What an agent may take, in milliseconds. */
  timeout: number;
  /** How many agents are asked at once. */
  workerCount: number;
  /** Logs are kept whole. */
  verbose?: boolean;
  /** With `json` the answers of the agents are kept. */
  output: string;
}

/** Looks at a cluster through its API server and its agents, as often as it is asked to. */
export class Survey {
  /** Pods that Cilium has to do with and does not manage, as of the last look; undefined when that is not known. */
  unmanaged: UnmanagedPod[] | undefined;
  /** An agent crashes again and again: waiting for it is in vain. */
  isOver = false;

  private constructor(
    private readonly client: KubeClient,
    private readonly namespace: string,
    private readonly options: SurveyOptions,
    private readonly ctx: Context,
  ) {}

  static async open(client: KubeClient, options: SurveyOptions, ctx: Context): Promise<Survey> {
    const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
    return new Survey(client, namespace, options, ctx);
  }

  /** One look, of at most so many milliseconds. What cannot be looked at is an error of the status. */
  async look(limitMs: number): Promise<ClusterStatus> {
    const status = new ClusterStatus();
    const signal = AbortSignal.any([this.ctx.signal, AbortSignal.timeout(limitMs)]);
    this.isOver = false;
    this.unmanaged = undefined;
    const progress = new ProgressLine(this.ctx.err);
    const restartMs = this.#agentMs * RESTART_TIMES;
    const outage = new Outage(() => serverAnswers(this.client, restartMs, signal), this.ctx.err, progress);
    this.client.onOutage = (why) => outage.wait(why);
    const agents = await this.#try(status, () => this.#agentPods(status));
    const agentSet = this.#try(status, () => this.#agentSet(status));
    const config = this.#try(status, () => this.#configMap(status));
    await Promise.all([
      agentSet,
      ...PARTS.map((part) => this.#part(status, part)),
      this.#try(status, () => this.#countPods(status, agents, config)),
      this.#try(status, () => this.#chart(status)),
      this.#agents(status, agents ?? [], outage, progress, signal),
    ]);
    this.ctx.signal.throwIfAborted();
    return status;
  }

  /** Does a part; undefined and a note where it failed. */
  async #try<T>(status: ClusterStatus, part: () => Promise<T>): Promise<T | undefined> {
    try {
      return await part();
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      status.collectionErrors.push(wordsOf(error));
      if (isUncollected(error)) status.unread.add(wordsOf(error));
      return undefined;
    }
  }

  async #pods(
    status: ClusterStatus,
    component: string,
    selector: string,
    container: string,
  ): Promise<ComponentPod[]> {
    const pods = await listComponentPods(this.client, this.namespace, selector, container);
    status.addPods(component, pods);
    return pods;
  }

  /** The agents are what the rest is about: where they cannot be listed, nothing is known to be well. */
  async #agentPods(status: ClusterStatus): Promise<ComponentPod[]> {
    const { agent } = COMPONENT;
    try {
      return await this.#pods(status, agent, 'k8s-app=cilium', 'cilium-agent');
    } catch (error) {
      noteError(status, agent, agent, error);
      throw error;
    }
  }

  async #agentSet(status: ClusterStatus): Promise<void> {
    const { agent } = COMPONENT;
    try {
      const found = await findWorkload(this.client, 'DaemonSet', this.namespace, agent);
      if (!found) throw new Error(`daemonsets.apps "${agent}" not found`);
      status.addWorkload(found);
    } catch (error) {
      noteError(status, agent, agent, error);
      throw error;
    }
  }

  async #part(status: ClusterStatus, { name, type, selector, without, container }: Part): Promise<void> {
    try {
      const found = await findWorkload(this.client, type, this.namespace, name);
      if (found) status.addWorkload(found);
      // Of Envoy the reference only notes that it is not there.
      if (!found || name !== COMPONENT.envoy) status.setDisabled(name, !found);
      const where = found ? selector : without;
      if (where === undefined) return;
      const pods = await this.#pods(status, name, where, container);
      const broken = QUIET.has(name) ? [] : pods.filter(({ phase }) => phase === 'Running');
      await Promise.all(broken.map((pod) => this.#lastLog(status, name, pod)));
    } catch (error) {
      this.ctx.signal.throwIfAborted();
      noteError(status, name, name, error);
      status.collectionErrors.push(wordsOf(error));
    }
  }

  /** The end of what a container that does not run said last. */
  async #lastLog(status: ClusterStatus, component: string, pod: ComponentPod): Promise<void> {
    const told = brokenContainer(pod);
    const { container } = pod;
    if (told === undefined || !container?.ended) return;
    const ended = Date.parse(container.ended.finishedAt);
    const since = Number.isFinite(ended) ? ended - LOG_BEFORE_MS : this.ctx.clock.nowMs() - LOG_BEFORE_MS;
    await this.#try(status, async () => {
      const log = await readRecentLog(this.client, pod, {
        container: container.name,
        sinceTime: new Date(since).toISOString(),
        previous: container.restarts > 0,
      });
      if (log === '') return;
      const lines = this.options.verbose ? log.trim() : reduceLog(log);
      status.note(component, pod.name, 'errors', `${told}\n${lines}`);
    });
  }

  async #countPods(
    status: ClusterStatus,
    agents: readonly ComponentPod[] | undefined,
    config: Promise<Record<string, string> | undefined>,
  ): Promise<void> {
    const [pods, names, stored] = await Promise.all([
      listNetworkPods(this.client),
      listEndpointNames(this.client),
      config,
    ]);
    // Then endpoints are in the kvstore alone.
    if (stored?.['disable-endpoint-crd'] === 'true') return;
    status.pods = { all: pods.length, managed: names.length };
    this.unmanaged = unmanagedPods(pods, new Set(names), agents);
  }

  /** Takes in what is wrong with the configuration, and returns its keys. */
  async #configMap(status: ClusterStatus): Promise<Record<string, string>> {
    const { data, object } = await readConfigMap(this.client, this.namespace).catch((error: unknown) => {
      throw new Error(`unable to retrieve ConfigMap "${CONFIG_MAP}": ${wordsOf(error)}`);
    });
    status.configErrors = Object.entries(object.metadata?.annotations ?? {})
      .filter(([name]) => name.startsWith('config.cilium.io'))
      .map(([, text]) => text)
      .toSorted();
    return data;
  }

  /** The chart's version; where Helm keeps none, who set Cilium up instead. */
  async #chart(status: ClusterStatus): Promise<void> {
    const release = await findRelease(this.client, this.namespace, 'cilium');
    if (release) {
      status.chartVersion = release.chartVersion;
      return;
    }
    const path = pathIn(this.namespace, 'apps/v1/daemonsets', 'cilium');
    const found = await this.client.find<KubeObject>({ path });
    const [owner] = found ? ownersOf(found).filter(({ kind }) => kind !== 'Helm') : [];
    if (owner) status.chartVersion = `none (${owner.kind}: ${owner.name})`;
  }

  async #agents(
    status: ClusterStatus,
    pods: readonly ComponentPod[],
    outage: Outage,
    progress: ProgressLine,
    signal: AbortSignal,
  ): Promise<void> {
    const running = pods.filter(({ phase }) => phase === 'Running');
    let answered = 0;
    const [first] = running;
    await Promise.all([
      first && this.#lastLog(status, COMPONENT.agent, first),
      ...bounded(running, this.options.workerCount, async (pod) => {
        await this.#agent(status, pod, outage, signal);
        answered++;
        if (running.length >= MANY_AGENTS)
          await progress.show(`${answered} of ${running.length} agents asked`);
      }),
    ]);
    await progress.clear();
  }

  /** How long an agent may take, in milliseconds. */
  get #agentMs(): number {
    return this.ctx.globals.timeoutMs === undefined ? AGENT_MS : this.options.timeout;
  }

  async #agent(status: ClusterStatus, pod: ComponentPod, outage: Outage, signal: AbortSignal): Promise<void> {
    const failed = (text: string) => status.note(COMPONENT.agent, pod.name, 'errors', text);
    const answers: { status?: PackedText; endpoints?: PackedText } = {};
    status.agents.set(pod.name, answers);
    const trouble = agentTrouble(pod);
    if (trouble) {
      this.isOver ||= trouble.isOver;
      failed(`unable to retrieve cilium status: ${trouble.text}`);
      return;
    }
    const timeoutMs = this.#agentMs;
    const newLimit = () => AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
    let limit = newLimit();
    const place = { node: pod.node, namespace: pod.namespace, pod: pod.name };
    const keeps = this.options.output === 'json';
    /** Asks, and once more after the API server was away. */
    const asked = async <T>(way: Way<T>): Promise<Answer<T>> => {
      try {
        return await askAgent(this.client, place, way, limit, this.ctx);
      } catch (error) {
        if (limit.aborted || !isUnreachable(error) || !(await outage.wait(errorMessage(error)))) throw error;
        limit = newLimit();
        return await askAgent(this.client, place, way, limit, this.ctx);
      }
    };
    const failedTo = (what: string) => (error: unknown) => {
      this.ctx.signal.throwIfAborted();
      const late = signal.aborted
        ? 'no answer before --wait-duration was over'
        : `no answer within ${timeoutMs / 1000} s`;
      const why = limit.aborted ? late : wordsOf(error);
      noteError(status, COMPONENT.agent, pod.name, error, `unable to retrieve cilium ${what}: ${why}`);
    };
    const isLate = await asked({
      ask: (agent) => readStatus(agent, { brief: false, requireK8sConnectivity: true, timeoutMs }),
      argv: ['status', '-o', 'json'],
      read: printedStatus,
    })
      .then((answer) => {
        status.addAgent(pod.name, answer.decode(), this.ctx.clock.nowMs());
        if (keeps) answers.status = answerText(answer.document);
        return false;
      })
      .catch((error: unknown) => {
        failedTo('status')(error);
        return limit.aborted;
      });
    // One error is enough of an agent that does not answer.
    if (isLate) return;
    await asked({
      ask: (agent) => listEndpoints(agent, { timeoutMs }),
      argv: ['endpoint', 'list', '-o', 'json'],
      read: printedEndpoints,
    })
      .then((answer) => {
        const rows = answer.decode();
        status.addEndpoints(
          pod.name,
          rows.map(({ state }) => state),
        );
        if (keeps) answers.endpoints = answerText(answer.document);
      })
      .catch(failedTo('endpoint information'));
  }
}

function noteError(
  status: ClusterStatus,
  component: string,
  pod: string,
  error: unknown,
  text = wordsOf(error),
): void {
  status.note(component, pod, 'errors', text);
  if (isUncollected(error)) status.unread.add(text);
}
