import { NAMESPACE_LABELS } from '../../../model/label.ts';
import type { LabEndpoint } from '../../state/state.ts';
import { relabelled, withoutPod, withPod } from '../../world/pods.ts';
import { labelsOf } from '../../world/world.ts';
import { kindNamed } from '../kinds.ts';
import type { LabMember } from '../objects.ts';
import type { ObjectStore, Stored } from '../store.ts';
import { type NodeObject, ownerOf, type PodObject } from './forms.ts';
import { keep, listed } from './keep.ts';
import type { PodRunner } from './runner.ts';
import { nodeFor } from './schedule.ts';

/** How long endpoints take to follow, and how often that is looked at. */
const LOOK_MS = 10;

interface Kept {
  uid: string;
  namespace: string;
  name: string;
  member: LabMember;
  /** A pod of the host's network has none. */
  hasEndpoint: boolean;
  labels: string;
  starting?: Promise<void>;
}

/** Gives pods nodes, endpoints, and where the lab has a runner processes; takes them away with their objects. */
export class Pods {
  readonly #kept = new Map<string, Kept>();

  constructor(
    private readonly store: ObjectStore,
    private readonly members: readonly LabMember[],
    private readonly runner: PodRunner | undefined,
    private readonly nowMs: () => number,
    /** Called when something that took time has ended. */
    private readonly again: () => void,
  ) {}

  async turn(): Promise<void> {
    const pods = listed<PodObject>(this.store, 'Pod');
    const there = new Set(pods.map(({ metadata }) => metadata.uid));
    for (const kept of this.#kept.values()) if (!there.has(kept.uid)) await this.#end(kept);
    const nodes = listed<NodeObject>(this.store, 'Node');
    for (const pod of pods) {
      const kept = this.#kept.get(pod.metadata.uid);
      if (kept) await this.#relabel(kept, pod);
      else if (this.store.told.has(pod.metadata.uid)) continue;
      else if (pod.spec?.nodeName) await this.#begin(pod, pod.spec.nodeName);
      else this.#place(pod, nodes);
    }
  }

  /** Resolves when no pod is about to start. */
  async settled(): Promise<void> {
    for (const { starting } of this.#kept.values()) await starting;
  }

  #place(pod: PodObject, nodes: readonly NodeObject[]): void {
    const found = nodeFor(pod, nodes, listed<PodObject>(this.store, 'Pod'));
    const scheduled = {
      type: 'PodScheduled',
      ...('node' in found
        ? { status: 'True' }
        : { status: 'False', reason: 'Unschedulable', message: found.why }),
    };
    keep(this.store, pod, {
      ...pod,
      spec: { ...pod.spec, ...('node' in found && { nodeName: found.node }) },
      status: { ...pod.status, phase: 'Pending', conditions: [scheduled] },
    });
  }

  async #begin(pod: PodObject, nodeName: string): Promise<void> {
    const { uid, namespace = 'default', name } = pod.metadata;
    const member = this.members.find(({ node }) => node.name === nodeName);
    if (!member) return;
    const { agent } = member;
    const key = `${namespace}/${name}`;
    const wasThere = agent.state.endpoints.some((endpoint) => endpoint.pod === key);
    const isRunning = pod.status?.phase === 'Running';
    const hasEndpoint = wasThere || (!isRunning && pod.spec?.hostNetwork !== true);
    const labels = this.#labelsOf(pod, member);
    const kept: Kept = { uid, namespace, name, member, hasEndpoint, labels: labels.join() };
    this.#kept.set(uid, kept);
    if (hasEndpoint && !wasThere) {
      const ports = (pod.spec?.containers ?? []).flatMap(({ ports = [] }) =>
        ports.flatMap(({ name: port, containerPort, protocol = 'TCP' }) =>
          port === undefined ? [] : [{ name: port, port: containerPort, protocol }],
        ),
      );
      const workload = workloadOf(pod);
      const created = { pod: key, labels, ports, nowMs: this.nowMs(), ...(workload && { workload }) };
      await agent.store.update((state) => withPod(state, created, member.node, agent.world.cluster.id));
    }
    // What an agent of the lab plays itself has no process of its own.
    if (isRunning && !hasEndpoint) return;
    kept.starting = this.#start(kept, pod, isRunning).finally(() => {
      delete kept.starting;
      this.again();
    });
  }

  async #start(kept: Kept, pod: PodObject, isRunning: boolean): Promise<void> {
    const { member, namespace, name, uid } = kept;
    const endpoint = endpointOf(kept);
    let fault: string | undefined;
    try {
      await this.runner?.start({ pod, node: member.node.name, ...(endpoint && { endpoint }) });
    } catch (error) {
      fault = error instanceof Error ? error.message : String(error);
      member.agent.log(`pod ${namespace}/${name}: ${fault}`);
    }
    // Every node has to know who it is before it is ready.
    while (endpoint && this.members.some(({ agent }) => agent.regenerating))
      await new Promise((wait) => setTimeout(wait, LOOK_MS));
    const now = this.store.find(kindNamed('Pod'), namespace, name);
    if (now?.metadata.uid !== uid || (isRunning && fault === undefined)) return;
    keep(this.store, now, { ...now, status: this.#statusOf(now, member, endpoint, fault) });
  }

  #statusOf(
    pod: PodObject,
    { node }: LabMember,
    endpoint: LabEndpoint | undefined,
    fault: string | undefined,
  ): Record<string, unknown> {
    const startedAt = new Date(this.nowMs()).toISOString().replace(/\.\d+Z$/, 'Z');
    const ips = (endpoint ? [endpoint.ipv4, endpoint.ipv6] : [node.ipv4, node.ipv6]).filter(
      (ip) => ip !== undefined,
    );
    const ready = fault === undefined;
    const condition = (type: string, holds = true) => ({
      type,
      status: holds ? 'True' : 'False',
      lastTransitionTime: startedAt,
      ...(!holds && { reason: 'ContainersNotReady', message: fault }),
    });
    return {
      phase: ready ? 'Running' : 'Pending',
      startTime: startedAt,
      hostIP: node.ipv4,
      hostIPs: [{ ip: node.ipv4 }],
      podIP: ips[0],
      podIPs: ips.map((ip) => ({ ip })),
      qosClass: 'BestEffort',
      conditions: [
        condition('PodScheduled'),
        condition('Initialized'),
        condition('ContainersReady', ready),
        condition('Ready', ready),
      ],
      containerStatuses: (pod.spec?.containers ?? []).map(({ name, image = '' }) => ({
        name,
        image,
        imageID: '',
        containerID: `lab://${endpoint?.containerId ?? name}`,
        ready,
        started: ready,
        restartCount: 0,
        lastState: {},
        state: ready
          ? { running: { startedAt } }
          : { waiting: { reason: 'CreateContainerError', message: fault } },
      })),
    };
  }

  async #end(kept: Kept): Promise<void> {
    this.#kept.delete(kept.uid);
    await kept.starting;
    await this.runner?.stop(kept.uid);
    if (!kept.hasEndpoint) return;
    const key = `${kept.namespace}/${kept.name}`;
    await kept.member.agent.store.update((state) => withoutPod(state, key));
  }

  async #relabel(kept: Kept, pod: PodObject): Promise<void> {
    if (!kept.hasEndpoint) return;
    const labels = this.#labelsOf(pod, kept.member);
    if (labels.join() === kept.labels) return;
    kept.labels = labels.join();
    const { agent } = kept.member;
    const key = `${kept.namespace}/${kept.name}`;
    await agent.store.update((state) => relabelled(state, key, labels, agent.world.cluster.id));
  }

  /** The labels of a pod's identity: its own, those of its namespace, and what Cilium adds. */
  #labelsOf(pod: PodObject, { agent }: LabMember): string[] {
    const { namespace = '', name, labels = {} } = pod.metadata;
    const around = this.store.find(kindNamed('Namespace'), undefined, namespace)?.metadata.labels ?? {};
    // Of what controllers add the agents know that it is none of an identity.
    const own = Object.entries(labels).filter(
      ([key]) => key !== 'pod-template-hash' && key !== 'controller-revision-hash',
    );
    const serviceAccount = pod.spec?.serviceAccountName;
    return [
      ...labelsOf(
        {
          pod: `${namespace}/${name}`,
          labels: Object.fromEntries(own),
          ...(serviceAccount !== undefined && { serviceAccount }),
        },
        agent.world.cluster.name,
      ),
      ...Object.entries(around).map(([key, value]) => `k8s:${NAMESPACE_LABELS}.${key}=${value}`),
    ].sort();
  }
}

function endpointOf({ member, namespace, name, hasEndpoint }: Kept): LabEndpoint | undefined {
  if (!hasEndpoint) return undefined;
  return member.agent.state.endpoints.find((endpoint) => endpoint.pod === `${namespace}/${name}`);
}

/** The workload of a pod: of a ReplicaSet its Deployment. */
function workloadOf(pod: Stored): { kind: string; name: string } | undefined {
  const owner = ownerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return owner && { kind: owner.kind, name: owner.name };
  return { kind: 'Deployment', name: owner.name.replace(/-[^-]*$/, '') };
}
