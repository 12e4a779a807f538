import { createHash } from 'node:crypto';
import { kindNamed } from '../kinds.ts';
import { suffix } from '../objects.ts';
import type { ObjectStore, Stored } from '../store.ts';
import { isReady, type NodeObject, ownerOf, type PodObject, selects, type WorkloadObject } from './forms.ts';
import { keep, listed } from './keep.ts';
import { mayRun } from './schedule.ts';

const HASH = { Deployment: 'pod-template-hash', DaemonSet: 'controller-revision-hash' } as const;
type WorkloadKind = keyof typeof HASH;

/** The controllers of Deployments and DaemonSets: each turn brings the objects a step nearer to what was asked for. */
export class Workloads {
  /** Templates of pods that were there before any controller, as they were when first seen. */
  readonly #first = new Map<string, string>();
  #made = 0;

  constructor(
    private readonly store: ObjectStore,
    private readonly nowMs: () => number,
  ) {}

  turn(): void {
    for (const deployment of listed<WorkloadObject>(this.store, 'Deployment')) this.#deployment(deployment);
    for (const daemons of listed<WorkloadObject>(this.store, 'DaemonSet')) this.#daemonSet(daemons);
  }

  #deployment(deployment: WorkloadObject): void {
    const { replicas = 1, paused = false } = deployment.spec ?? {};
    const { fresh, old } = this.#podsOf(deployment, 'Deployment', 'ReplicaSet');
    if (this.#isTold(deployment, ...fresh, ...old)) return;
    if (fresh.length < replicas && !(paused && old.length > 0)) {
      const set = this.#replicaSet(deployment);
      for (let i = fresh.length; i < replicas; i++)
        fresh.push(this.#make(deployment, 'Deployment', set, `${set.metadata.name}-`));
    }
    for (const pod of fresh.toSorted((a, b) => Number(isReady(b)) - Number(isReady(a))).slice(replicas)) {
      this.#drop(pod);
      fresh.splice(fresh.indexOf(pod), 1);
    }
    const ready = fresh.filter(isReady).length;
    // The old ones go when the new ones are there.
    const left = ready >= replicas && !paused ? [] : old;
    for (const pod of old) if (!left.includes(pod)) this.#drop(pod);
    const all = [...fresh, ...left];
    const available = all.filter(isReady).length;
    const isThere = available >= replicas;
    this.#tell(deployment, {
      observedGeneration: deployment.metadata.generation,
      replicas: all.length,
      updatedReplicas: fresh.length,
      readyReplicas: available,
      availableReplicas: available,
      ...(available < replicas && { unavailableReplicas: replicas - available }),
      conditions: [
        {
          type: 'Available',
          status: isThere ? 'True' : 'False',
          reason: isThere ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
        },
        {
          type: 'Progressing',
          status: 'True',
          reason: ready >= replicas ? 'NewReplicaSetAvailable' : 'ReplicaSetUpdated',
        },
      ],
    });
    for (const set of listed<WorkloadObject>(this.store, 'ReplicaSet')) {
      if (ownerOf(set)?.uid !== deployment.metadata.uid) continue;
      const mine = all.filter((pod) => ownerOf(pod)?.uid === set.metadata.uid);
      const wanted = set.metadata.labels?.[HASH.Deployment] === hashOf(deployment) ? replicas : mine.length;
      if (set.spec?.replicas !== wanted)
        keep(this.store, set, { ...set, spec: { ...set.spec, replicas: wanted } });
      const ready = mine.filter(isReady).length;
      this.#tell(set, {
        observedGeneration: set.metadata.generation,
        replicas: mine.length,
        readyReplicas: ready,
        availableReplicas: ready,
      });
    }
  }

  #daemonSet(daemons: WorkloadObject): void {
    const { template, updateStrategy } = daemons.spec ?? {};
    const nodes = listed<NodeObject>(this.store, 'Node').filter((node) => mayRun(template ?? {}, node, true));
    const { fresh, old } = this.#podsOf(daemons, 'DaemonSet', 'DaemonSet');
    if (this.#isTold(daemons, ...fresh, ...old)) return;
    const on = (node: NodeObject) =>
      [...fresh, ...old].find(({ spec }) => spec?.nodeName === node.metadata.name);
    for (const node of nodes)
      if (!on(node))
        fresh.push(
          this.#make(daemons, 'DaemonSet', daemons, `${daemons.metadata.name}-`, node.metadata.name),
        );
    for (const pods of [fresh, old])
      for (const pod of [...pods])
        if (!nodes.some(({ metadata }) => metadata.name === pod.spec?.nodeName)) {
          this.#drop(pod);
          pods.splice(pods.indexOf(pod), 1);
        }
    const all = [...fresh, ...old];
    const ready = all.filter(isReady).length;
    // One after the other.
    const [next] = old;
    if (next && ready === nodes.length && updateStrategy?.type !== 'OnDelete') this.#drop(next);
    this.#tell(daemons, {
      observedGeneration: daemons.metadata.generation,
      desiredNumberScheduled: nodes.length,
      currentNumberScheduled: all.length,
      updatedNumberScheduled: fresh.length,
      numberReady: ready,
      numberAvailable: ready,
      ...(ready < nodes.length && { numberUnavailable: nodes.length - ready }),
      numberMisscheduled: 0,
    });
  }

  /** Whether a client says how this workload is: then it stays as it was told. */
  #isTold(...objects: Stored[]): boolean {
    return objects.some(({ metadata }) => this.store.told.has(metadata.uid));
  }

  /** The pods of a workload: those of its template as it is, and those of an earlier one. */
  #podsOf(workload: WorkloadObject, kind: WorkloadKind, owner: string) {
    const hash = hashOf(workload);
    const { namespace } = workload.metadata;
    const pods = listed<PodObject>(this.store, 'Pod', namespace).filter(
      (pod) => ownerOf(pod)?.kind === owner && selects(workload.spec?.selector, pod.metadata.labels),
    );
    const fresh: PodObject[] = [];
    const old: PodObject[] = [];
    for (const pod of pods) {
      const { uid, labels } = pod.metadata;
      let its = this.#first.get(uid) ?? labels?.[HASH[kind]];
      if (its === undefined) {
        its = hash;
        this.#first.set(uid, its);
      }
      (its === hash ? fresh : old).push(pod);
    }
    return { fresh, old };
  }

  #replicaSet(deployment: WorkloadObject): Stored {
    const { name, namespace, uid, labels } = deployment.metadata;
    const hash = hashOf(deployment);
    const { kind } = { kind: kindNamed('ReplicaSet') };
    const known = this.store.find(kind, namespace, `${name}-${hash}`);
    if (known) return known;
    const { selector, template, replicas = 1 } = deployment.spec ?? {};
    const own = { ...template?.metadata?.labels, [HASH.Deployment]: hash };
    const revision =
      1 +
      listed<Stored>(this.store, 'ReplicaSet', namespace).filter((set) => ownerOf(set)?.uid === uid).length;
    return this.store.put(kind, {
      metadata: {
        name: `${name}-${hash}`,
        namespace,
        labels: { ...labels, ...own },
        annotations: { 'deployment.kubernetes.io/revision': String(revision) },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'Deployment', name, uid, controller: true }],
      },
      spec: {
        replicas,
        selector: { ...selector, matchLabels: { ...selector?.matchLabels, [HASH.Deployment]: hash } },
        template: { ...template, metadata: { ...template?.metadata, labels: own } },
      },
    });
  }

  #make(
    workload: WorkloadObject,
    kind: WorkloadKind,
    owner: Stored,
    prefix: string,
    node?: string,
  ): PodObject {
    const { template } = workload.spec ?? {};
    const { namespace } = workload.metadata;
    const name = prefix + suffix(`${prefix} ${this.nowMs()} ${this.#made++}`);
    return this.store.put(kindNamed('Pod'), {
      metadata: {
        name,
        generateName: prefix,
        namespace,
        labels: { ...template?.metadata?.labels, [HASH[kind]]: hashOf(workload) },
        ...(template?.metadata?.annotations && { annotations: template.metadata.annotations }),
        ownerReferences: [
          {
            apiVersion: 'apps/v1',
            kind: owner.kind,
            name: owner.metadata.name,
            uid: owner.metadata.uid,
            controller: true,
            blockOwnerDeletion: true,
          },
        ],
      },
      spec: { ...template?.spec, ...(node !== undefined && { nodeName: node }) },
    }) as PodObject;
  }

  #drop(pod: PodObject): void {
    this.store.remove(kindNamed('Pod'), pod);
  }

  #tell(workload: Stored, status: Record<string, unknown>): void {
    const now = this.store.find(
      kindNamed(workload.kind),
      workload.metadata.namespace,
      workload.metadata.name,
    );
    if (now) keep(this.store, now, { ...now, status });
  }
}

/** Names a template by what is in it, as controllers do. */
function hashOf({ spec }: WorkloadObject): string {
  return createHash('sha256')
    .update(JSON.stringify(spec?.template ?? {}))
    .digest('hex')
    .slice(0, 10);
}
