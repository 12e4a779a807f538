import type { AppliedObject } from '../../cluster/connectivity/objects.ts';
import {
  deploymentTrouble,
  isReadyPod,
  podTrouble,
  type WaitingDeployment,
  type WaitingPod,
  waitedInVain,
} from '../../cluster/connectivity/trouble.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from '../../kube/client.ts';
import { putOwn } from '../../kube/own-objects.ts';
import { listAll } from '../../kube/pages.ts';
import { pathIn } from '../../kube/paths.ts';
import { podsPath } from '../../kube/pods.ts';
import { openCluster } from '../../kube/road.ts';
import { watch } from '../../kube/watch.ts';

type Say = (line: string) => Promise<void>;

/** Applies objects, and returns the names of the deployments among them. */
export async function applyAll(
  client: KubeClient,
  objects: readonly AppliedObject[],
  cluster: string,
  say: Say,
): Promise<string[]> {
  const deployments: string[] = [];
  for (const object of objects) {
    const line = deployLine(object, cluster);
    if (line !== '') await say(line);
    await putOwn(client, object);
    if (object.kind === 'Deployment') deployments.push(object.metadata.name);
  }
  return deployments;
}

function deployLine({ kind, metadata }: AppliedObject, cluster: string): string {
  const head = `✨ [${cluster}] `;
  switch (kind) {
    case 'Namespace':
      return `${head}Creating namespace ${metadata.name} for connectivity check...\n`;
    case 'Deployment':
      return `${head}Deploying ${metadata.name.replace(/^echo-/, '')} deployment...\n`;
    case 'Service':
      return `${head}Deploying ${metadata.name} service...\n`;
    default:
      return '';
  }
}

export type PodObject = KubeObject &
  WaitingPod & { status?: { podIPs?: { ip?: string }[]; hostIP?: string } };

/**
 * Waits until the pods of these deployments are ready. Throws UserError as soon as something says that they will not be,
 * or after so many milliseconds.
 */
export async function untilReady(
  ctx: Context,
  namespace: string,
  names: readonly string[],
  limitMs: number,
): Promise<PodObject[]> {
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), limitMs);
  const pods = new Map<string, PodObject>();
  const signal = AbortSignal.any([ctx.signal, end.signal]);
  // What it waits for ends with it, and with nothing else.
  await using client = await openCluster({ ...ctx, signal });
  const isReady = (name: string) =>
    [...pods.values()].some((pod) => pod.metadata?.labels?.name === name && isReadyPod(pod));
  const quotas = watchDeployments(client, namespace, signal);
  quotas.catch(() => {});
  const ready = watchPods(client, namespace, (type, pod) => {
    const key = pod.metadata?.name ?? '';
    if (type === 'DELETED') pods.delete(key);
    else pods.set(key, pod);
    const trouble =
      pod.metadata?.deletionTimestamp === undefined && type !== 'DELETED' ? podTrouble(pod) : undefined;
    if (trouble !== undefined) throw new UserError(trouble);
    return names.every(isReady);
  });
  ready.catch(() => {});
  try {
    await Promise.race([ready, quotas, ended(signal)]);
    return [...pods.values()].filter(isReadyPod);
  } catch (error) {
    ctx.signal.throwIfAborted();
    if (!end.signal.aborted) throw error;
    await using asking = await openCluster(ctx);
    const deployments = await listDeployments(asking, namespace);
    throw new UserError(waitedInVain(names, [...pods.values()], deployments, limitMs / 1000), {
      hint: `See: kubectl -n ${namespace} get pods -o wide; kubectl -n ${namespace} get events`,
    });
  } finally {
    clearTimeout(timer);
    end.abort();
  }
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}

/** Ends when the callback says so. */
async function watchPods(
  client: KubeClient,
  namespace: string,
  take: (type: string, pod: PodObject) => boolean,
): Promise<void> {
  for await (const event of watch<PodObject>(client, podsPath(namespace))) {
    if ('object' in event && take(event.type, event.object)) return;
  }
}

/** Throws where a deployment cannot make pods; never ends else. */
async function watchDeployments(client: KubeClient, namespace: string, signal: AbortSignal): Promise<never> {
  const path = pathIn(namespace, 'apps/v1/deployments');
  for await (const event of watch<KubeObject & WaitingDeployment>(client, path)) {
    const trouble =
      'object' in event && event.type !== 'DELETED' ? deploymentTrouble(event.object) : undefined;
    if (trouble !== undefined) throw new UserError(trouble);
  }
  return ended(signal);
}

async function listDeployments(client: KubeClient, namespace: string): Promise<WaitingDeployment[]> {
  const path = pathIn(namespace, 'apps/v1/deployments');
  try {
    return await listAll<KubeObject & WaitingDeployment, WaitingDeployment>(client, path, {}, (one) => one);
  } catch (error) {
    if (error instanceof KubeRefusal) return [];
    throw error;
  }
}
