import type { Feature } from '../../cluster/sysdump/features.ts';
import type { Scope } from '../../cluster/sysdump/item.ts';
import type { DumpOptions } from '../../cluster/sysdump/options.ts';
import type { Context } from '../../context.ts';
import type { KubeClient } from '../../kube/client.ts';
import { listAll } from '../../kube/pages.ts';
import { type Pod, podsPath } from '../../kube/pods.ts';
import type { Dump } from './dump.ts';

/** A node, as far as it matters. */
export interface NodeFacts {
  name: string;
  addresses: string[];
  provider: string;
  /** What pods may use: cores, and bytes. */
  cpu: number | undefined;
  memory: number | undefined;
  labels: Readonly<Record<string, string>>;
}

/** What is known before the collecting begins. */
export interface Place {
  ctx: Context;
  client: KubeClient;
  options: DumpOptions;
  dump: Dump;
  namespaces: Partial<Record<Scope, string>>;
  nodes: readonly NodeFacts[];
  /** The nodes whose pods are visited; undefined means all. */
  chosen: ReadonlySet<string> | undefined;
  /** Data of cilium-config with the object; undefined where there is none. */
  config: { object: object; data: Readonly<Record<string, string>> } | undefined;
  features: ReadonlyMap<string, Feature>;
  /** Bytes of each log with --max-size. */
  logShare: number | undefined;
  /** Prints a line. */
  say(line: string): void;
}

/** A pod, as far as it is visited. */
export interface PodFacts {
  namespace: string;
  name: string;
  node: string;
  pod: Pod;
  containers: {
    name: string;
    image: string;
    command: string[];
    ports: { name?: string; containerPort?: number }[];
    restarts: number;
    isInit: boolean;
  }[];
}

/** The pods with these labels in a namespace, or in all. */
export async function findPods(
  { client }: Place,
  namespace: string | undefined,
  labelSelector: string | undefined,
): Promise<PodFacts[]> {
  return await listAll<Pod, PodFacts>(client, podsPath(namespace), { labelSelector, limit: 100 }, factsOf);
}

/** Of these pods those on the nodes that were chosen; pods on no node are left out. */
export function onChosen({ chosen }: Place, pods: readonly PodFacts[]): PodFacts[] {
  return pods.filter(({ node }) => node !== '' && (chosen?.has(node) ?? true));
}

function factsOf(object: Pod): PodFacts {
  const { metadata, spec = {}, status } = object;
  const { containers = [], initContainers = [] } = spec as NonNullable<Pod['spec']> & {
    initContainers?: { name?: string; image?: string }[];
  };
  const restarts = new Map(
    [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map((one) => [
      one.name,
      one.restartCount ?? 0,
    ]),
  );
  const of = (isInit: boolean) => (one: NonNullable<NonNullable<Pod['spec']>['containers']>[number]) => ({
    name: one.name ?? '',
    image: one.image ?? '',
    command: one.command ?? [],
    ports: one.ports ?? [],
    restarts: restarts.get(one.name) ?? 0,
    isInit,
  });
  // Annotations and the record of who set which field are the most of a pod.
  const kept = {
    metadata: { name: metadata?.name ?? '', namespace: metadata?.namespace ?? '' },
    status,
    spec: { nodeName: spec.nodeName ?? '' },
  } as Pod;
  if (metadata?.deletionTimestamp !== undefined && kept.metadata)
    kept.metadata.deletionTimestamp = metadata.deletionTimestamp;
  return {
    namespace: metadata?.namespace ?? '',
    name: metadata?.name ?? '',
    node: spec.nodeName ?? '',
    pod: kept,
    containers: [...containers.map(of(false)), ...initContainers.map(of(true))],
  };
}

/** Whether containers of a pod crash, were restarted, or run without being ready. */
export function troublesOf({ pod }: PodFacts): { crashes: boolean; restarted: boolean; unready: boolean } {
  const { status } = pod;
  const statuses = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
  const ready = status?.conditions?.find(({ type }) => type === 'Ready');
  return {
    crashes: statuses.some(({ state }) => state?.waiting?.reason === 'CrashLoopBackOff'),
    restarted: statuses.some(({ restartCount = 0 }) => restartCount > 0),
    unready: status?.phase === 'Running' && ready?.status !== 'True',
  };
}
