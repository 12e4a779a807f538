import { seenFromAway, withIdentities } from '../../world/pods.ts';
import { kindNamed } from '../kinds.ts';
import type { LabMember } from '../objects.ts';
import type { ObjectStore } from '../store.ts';
import { ownersOf } from './forms.ts';
import { listed } from './keep.ts';
import { Pods } from './pods.ts';
import type { PodRunner } from './runner.ts';
import { Services } from './services.ts';
import { Workloads } from './workloads.ts';

/** The controllers of a cluster: they bring what is there to what its objects ask for, until nothing is left to do. */
export interface Controllers {
  /** Resolves when nothing is left to do. */
  settled(): Promise<void>;
  stop(): void;
}

/** Kinds that controllers act on. */
const WATCHED: ReadonlySet<string> = new Set([
  'Namespace',
  'Node',
  'Pod',
  'Service',
  'Deployment',
  'DaemonSet',
  'ReplicaSet',
]);

/** In the order in which one may own the other. */
const OWNERS = ['Deployment', 'DaemonSet', 'StatefulSet', 'ReplicaSet', 'Service'];
const OWNED = ['ReplicaSet', 'Pod', 'EndpointSlice'];

export function startControllers(
  store: ObjectStore,
  members: readonly LabMember[],
  runner: PodRunner | undefined,
  nowMs: () => number,
): Controllers {
  let isDirty = true;
  let isStopped = false;
  let work: Promise<void> | undefined;
  const wake = () => {
    isDirty = true;
    if (!isStopped) work ??= run();
  };
  const workloads = new Workloads(store, nowMs);
  const pods = new Pods(store, members, runner, nowMs, wake);
  const services = new Services(store, members);
  const log = (text: string) => members[0]?.agent.log(`controllers: ${text}`);
  const turn = async () => {
    collectGarbage(store);
    workloads.turn();
    await pods.turn();
    await tellEachOther(members);
    await services.turn(async (known, names) => runner?.serve(known, names));
  };
  const run = async () => {
    // What is written in one turn of the event loop is looked at together.
    await new Promise((next) => setImmediate(next));
    while (isDirty && !isStopped) {
      isDirty = false;
      await turn().catch((error: unknown) => log(String(error)));
    }
    work = undefined;
  };
  const stopWatching = store.watch(({ kind }) => {
    if (WATCHED.has(kind.kind)) wake();
  });
  work = run();
  return {
    settled: async () => {
      while (work) {
        await work;
        await pods.settled();
      }
    },
    stop: () => {
      isStopped = true;
      stopWatching();
    },
  };
}

/** Removes what controllers made for an owner that is gone. */
function collectGarbage(store: ObjectStore): void {
  const uids = new Set(OWNERS.flatMap((kind) => listed(store, kind).map(({ metadata }) => metadata.uid)));
  for (const kind of OWNED)
    for (const object of listed(store, kind)) {
      const owners = ownersOf(object);
      if (owners.length > 0 && owners.every(({ uid }) => uid !== undefined && !uids.has(uid)))
        store.remove(kindNamed(kind), object);
    }
}

/** Has every agent know the pods and identities of the others. */
async function tellEachOther(members: readonly LabMember[]): Promise<void> {
  for (const { agent, node } of members) {
    const others = members.filter((other) => other.node.name !== node.name);
    const pods = others.flatMap((other) => seenFromAway(other.node, other.agent.state));
    if (JSON.stringify(pods) !== JSON.stringify(agent.world.remotePods)) {
      agent.world.remotePods = pods;
      agent.refresh('addresses of pods changed');
    }
    const identities = others.flatMap((other) => other.agent.state.identities);
    if (withIdentities(agent.state, identities) !== agent.state)
      await agent.store.update((state) => withIdentities(state, identities));
  }
}
