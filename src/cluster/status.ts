import { compareBytes } from '../lib/order.ts';
import type { PackedText } from '../lib/packed-text.ts';
import type { ComponentPod, Workload } from '../model/cluster.ts';
import type { AgentStatus, ComponentState } from '../model/status.ts';

/** Names of what Cilium consists of, as the chart calls its workloads. */
export const COMPONENT = {
  agent: 'cilium',
  envoy: 'cilium-envoy',
  operator: 'cilium-operator',
  relay: 'hubble-relay',
  ui: 'hubble-ui',
  clusterMesh: 'clustermesh-apiserver',
} as const;

/** What is wrong with one pod, or with a workload as a whole under its own name. */
export interface Troubles {
  errors: string[];
  warnings: string[];
  disabled: boolean;
}

/** The state of Cilium in a cluster. Maps are by component. */
export class ClusterStatus {
  readonly images = new Map<string, Map<string, number>>();
  readonly phases = new Map<string, Map<string, number>>();
  readonly workloads = new Map<string, Workload>();
  readonly troubles = new Map<string, Map<string, Troubles>>();
  /** What could not be looked at. */
  readonly collectionErrors: string[] = [];
  /** Texts of errors that only say what an archive does not hold: nobody knows what was there. */
  readonly unread = new Set<string>();
  /** Messages that the configuration's annotations hold. */
  configErrors: string[] = [];
  /** Pods that Cilium has to do with, and those that it manages; undefined when they were not counted. */
  pods: { all: number; managed: number } | undefined;
  /** Empty when no release of Helm was found. */
  chartVersion = '';
  /** Answers of the agents, by pod, as JSON: of many agents the values would be too much. Absent where there is none. */
  readonly agents = new Map<string, { status?: PackedText; endpoints?: PackedText }>();

  /** Notes what is wrong with a pod, or with a workload as a whole under its own name. */
  note(component: string, pod: string, level: 'errors' | 'warnings', text: string): void {
    this.#of(component, pod)[level].push(text);
  }

  /** Notes whether a component is there at all. */
  setDisabled(component: string, isDisabled: boolean): void {
    this.#of(component, component).disabled = isDisabled;
  }

  #of(component: string, pod: string): Troubles {
    const pods = this.troubles.get(component) ?? new Map<string, Troubles>();
    this.troubles.set(component, pods);
    const troubles = pods.get(pod) ?? { errors: [], warnings: [], disabled: false };
    pods.set(pod, troubles);
    return troubles;
  }

  /** How many errors and warnings there are, of one component or of all. */
  count(component?: string): { errors: number; warnings: number } {
    const counted = { errors: 0, warnings: 0 };
    for (const [name, pods] of this.troubles) {
      if (component !== undefined && name !== component) continue;
      for (const { errors, warnings } of pods.values()) {
        counted.errors += errors.length;
        counted.warnings += warnings.length;
      }
    }
    return counted;
  }

  isDisabled(component: string): boolean {
    return [...(this.troubles.get(component)?.values() ?? [])].some(({ disabled }) => disabled);
  }

  /** The troubles in the order of components and pods. */
  sorted(): [component: string, pod: string, troubles: Troubles][] {
    return sortedEntries(this.troubles).flatMap(([component, pods]) =>
      sortedEntries(pods).map(([pod, troubles]): [string, string, Troubles] => [component, pod, troubles]),
    );
  }

  /** Takes a workload in, with what is not as it should be. */
  addWorkload(workload: Workload): void {
    const { type, name, desired, ready, unavailable, updated, isObserved } = workload;
    this.workloads.set(name, workload);
    const note = (level: 'errors' | 'warnings', text: string) => this.note(name, name, level, text);
    const notReady = desired - ready;
    const notAvailable = unavailable - notReady;
    if (notReady > 0) note('errors', `${notReady} pods of ${type} ${name} are not ready`);
    if (notAvailable > 0) note('warnings', `${notAvailable} pods of ${type} ${name} are not available`);
    const kind = type.toLowerCase();
    if (!isObserved) note('errors', `${kind} ${name} is updated but rollout has not started`);
    if (updated < desired)
      note('errors', `${kind} ${name} is rolling out - ${updated} out of ${desired} pods updated`);
  }

  /** Takes the pods of a component in. */
  addPods(component: string, pods: readonly ComponentPod[]): void {
    const [phases, images] = [new Map<string, number>(), new Map<string, number>()];
    this.phases.set(component, phases);
    this.images.set(component, images);
    for (const pod of pods) {
      addOne(phases, pod.phase);
      for (const image of pod.images) addOne(images, image);
      if (pod.phase === 'Pending') this.note(component, pod.name, 'warnings', 'pod is pending');
      if (pod.phase === 'Failed' && !SUPERSEDED.has(pod.reason))
        this.note(component, pod.name, 'errors', `pod has failed: ${pod.reason} - ${pod.message}`);
    }
  }

  /** Takes in what an agent says of itself. `nowMs` is the time that its failures are told against. */
  addAgent(pod: string, status: AgentStatus, nowMs: number): void {
    const note = (level: 'errors' | 'warnings', text: string) => this.note(COMPONENT.agent, pod, level, text);
    const subsystems: [string, ComponentState | undefined][] = [
      ['Cilium', status.cilium],
      ['Health', status.healthDaemon],
      ['Hubble', status.hubble],
      ['Kubernetes', status.kubernetes],
      ['Kvstore', status.kvstore],
      ['AuthCertificateProvider', status.authCertificates],
    ];
    for (const [name, state] of subsystems) {
      const level = state?.state.toLowerCase();
      if (level === 'warning') note('warnings', `${name}: ${state?.message}`);
      if (level === 'failure') note('errors', `${name}: ${state?.message}`);
    }
    for (const { name, run } of status.controllers ?? []) {
      if (!run || run.consecutiveFailures === 0) continue;
      const since = wholeSeconds(nowMs - Date.parse(run.lastFailure));
      note(
        'errors',
        `controller ${name} is failing since ${since} (${run.consecutiveFailures}x): ${run.lastFailureMessage}`,
      );
    }
  }

  /** Takes in the states of an agent's endpoints; undefined where an endpoint names none. */
  addEndpoints(pod: string, states: readonly (string | undefined)[]): void {
    const notReady = states.filter((state) => state !== undefined && state !== 'ready').length;
    if (notReady > 0) this.note(COMPONENT.agent, pod, 'warnings', `${notReady} endpoints are not ready`);
  }
}

/** Why a pod ended before it ran: its controller has made another one by then. */
const SUPERSEDED: ReadonlySet<string> = new Set([
  'TaintToleration',
  'NodeAffinity',
  'NodeLost',
  'Evicted',
  'Shutdown',
  'Preempting',
  'UnexpectedAdmissionError',
]);

/** Why the agent in a pod cannot be asked; undefined when it can. `isOver` when waiting for it is in vain. */
export function agentTrouble({
  namespace,
  name,
  container,
}: ComponentPod): { text: string; isOver: boolean } | undefined {
  if (container?.isRunning) return undefined;
  const isOver = container?.waiting === 'CrashLoopBackOff';
  const state = isOver ? 'is in CrashLoopBackOff' : 'is not running';
  const ended = container?.ended ? `, exited with code ${container.ended.exitCode}` : '';
  const last =
    container?.ended?.message.trim() || `try 'kubectl -n ${namespace} logs -c cilium-agent ${name}'`;
  return { text: `container cilium-agent ${state}${ended}: ${last}`, isOver };
}

/** What stands in front of the log of a container's last run, where that is worth reading. */
export function brokenContainer({ container }: ComponentPod): string | undefined {
  if (!container || container.isRunning || !container.ended) return undefined;
  const state = container.waiting === 'CrashLoopBackOff' ? 'is in CrashLoopBackOff' : 'is not running';
  return `container ${container.name} ${state}, pulling previous Pod logs for further investigation:`;
}

const KEPT_LINES = 5;

/** The telling lines of a log: its beginning, its end, and what is marked as a warning or worse. */
export function reduceLog(log: string): string {
  const lines = log.trim().split('\n');
  if (lines.length <= 2 * KEPT_LINES) return lines.join('\n');
  const kept: string[] = [];
  let isGap = false;
  for (const [i, line] of lines.entries()) {
    const isEdge = i < KEPT_LINES || i >= lines.length - KEPT_LINES;
    if (isEdge || /level=(?:warn|err|fatal)/.test(line)) {
      kept.push(line);
      isGap = false;
    } else if (!isGap) {
      kept.push('<...>');
      isGap = true;
    }
  }
  return kept.join('\n');
}

/** The entries of a map by key. */
export function sortedEntries<V>(map: ReadonlyMap<string, V>): [string, V][] {
  return [...map].toSorted(([a], [b]) => compareBytes(a, b));
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A time span in whole seconds, as Go prints it: `1h2m3s`. */
function wholeSeconds(ms: number): string {
  if (!Number.isFinite(ms)) return 'an unknown time';
  const total = Math.max(0, Math.trunc(ms / 1000));
  const [h, m, s] = [Math.trunc(total / 3600), Math.trunc(total / 60) % 60, total % 60];
  return h > 0 ? `${h}h${m}m${s}s` : m > 0 ? `${m}m${s}s` : `${s}s`;
}
