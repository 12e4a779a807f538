import { EXPIRES, HOLDER, KEPT, SELECTOR } from '../../cluster/connectivity/objects.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, KubeRefusal } from '../../kube/client.ts';
import { dropOwn } from '../../kube/own-objects.ts';
import { listAll } from '../../kube/pages.ts';
import { namespacePath } from '../../kube/paths.ts';
import { isOfOurTests, OWNER, OWNER_LABEL } from '../../model/test-labels.ts';
import { hasEnded } from './holder.ts';

/** How long a namespace may take to go. */
const GONE_MS = 60_000;
const LOOK_MS = 500;

/** The name of the cluster, as the lines of the tests have it. */
export function clusterName(client: KubeClient): string {
  return client.config.getCurrentCluster()?.name ?? '';
}

function disappearing(client: KubeClient, name: string): string {
  return `⌛ [${clusterName(client)}] Waiting for namespace ${name} to disappear\n`;
}

/** Until when a run needs it: no longer than it runs. */
function neededMs(one: KubeObject): number {
  return hasEnded(one.metadata?.annotations?.[HOLDER]) ? Number.NEGATIVE_INFINITY : expiresMs(one);
}

function expiresMs({ metadata }: KubeObject): number {
  return Date.parse(metadata?.annotations?.[EXPIRES] ?? '');
}

/** All namespaces of the tests. */
export function listTestNamespaces(client: KubeClient): Promise<KubeObject[]> {
  return listAll<KubeObject, KubeObject>(
    client,
    '/api/v1/namespaces',
    { labelSelector: SELECTOR },
    (one) => one,
  );
}

/**
 * Makes sure that a run may have the namespace: one of an earlier run that has ended or expired goes first, one that was kept is
 * gone on with. Throws UserError where it is somebody else's, or another run is at work in it.
 */
export async function claimNamespace(
  client: KubeClient,
  name: string,
  { isForced }: { isForced: boolean },
  say: (line: string) => Promise<void>,
  ctx: Context,
): Promise<void> {
  const found = await client.find<KubeObject>({ path: namespacePath(name) });
  if (!found) return;
  if (!isOfOurTests(found.metadata?.labels))
    throw new UserError(`the namespace ${name} is there and is not of the connectivity tests`, {
      hint: `It lacks the label ${OWNER_LABEL}=${OWNER}. Use another one: --test-namespace.`,
    });
  if (found.metadata?.deletionTimestamp !== undefined) {
    await say(disappearing(client, name));
    await untilGone(client, name);
    return;
  }
  if (isForced) return removeNamespace(client, found, say);
  if (found.metadata?.annotations?.[KEPT] === 'true') return;
  const until = neededMs(found);
  if (until > ctx.clock.nowMs())
    throw new UserError(
      `another run may be at work in the namespace ${name}, until ${new Date(until).toISOString()}`,
      {
        hint: 'Use another one with --test-namespace, or take it away with --cleanup.',
      },
    );
  await say(`🧹 Removing what an earlier run left in the namespace ${name}\n`);
  await removeNamespace(client, found, say);
}

/** Removes what runs left behind that were killed. */
export async function removeExpired(
  client: KubeClient,
  except: string,
  say: (line: string) => Promise<void>,
  ctx: Context,
): Promise<void> {
  const found = await listTestNamespaces(client).catch((error: unknown) => {
    // Whoever may not list namespaces has none to look at; their own one is claimed by name.
    if (error instanceof KubeRefusal && error.code === 403) return [];
    throw error;
  });
  for (const one of found) {
    const { name = '', annotations, deletionTimestamp } = one.metadata ?? {};
    if (name === except || deletionTimestamp !== undefined) continue;
    // Of a date that cannot be read nothing follows.
    if (annotations?.[KEPT] === 'true' || !(neededMs(one) < ctx.clock.nowMs())) continue;
    await say(`🧹 Removing the namespace ${name}, which an earlier run left\n`);
    await dropOwn(client, namespacePath(name), one.metadata?.uid);
  }
}

/** Removes a namespace of the tests with all that is in it, and waits until it is gone. */
export async function removeNamespace(
  client: KubeClient,
  found: KubeObject,
  say: (line: string) => Promise<void>,
): Promise<void> {
  const { name = '', uid } = found.metadata ?? {};
  if (!isOfOurTests(found.metadata?.labels)) return;
  const within = (root: string, plural: string) => `${root}/namespaces/${encodeURIComponent(name)}/${plural}`;
  // The policies first: until they are gone agents hold them. The rest goes with the namespace, where a controller sees to it.
  for (const path of [
    within('/apis/cilium.io/v2', 'ciliumnetworkpolicies'),
    within('/apis/networking.k8s.io/v1', 'networkpolicies'),
    within('/apis/apps/v1', 'deployments'),
    within('/api/v1', 'services'),
    within('/api/v1', 'serviceaccounts'),
  ])
    await removeAll(client, path);
  await dropOwn(client, namespacePath(name), uid);
  await say(disappearing(client, name));
  await untilGone(client, name);
}

/** Deletes the objects of a path that are of the tests. A kind that is unknown or may not be listed goes with the namespace. */
async function removeAll(client: KubeClient, path: string): Promise<void> {
  try {
    const names = await listAll<KubeObject, string>(
      client,
      path,
      { labelSelector: SELECTOR },
      ({ metadata }) => metadata?.name,
    );
    for (const name of names) await dropOwn(client, `${path}/${encodeURIComponent(name)}`);
  } catch (error) {
    if (!(error instanceof KubeRefusal && (error.code === 404 || error.code === 403))) throw error;
  }
}

async function untilGone(client: KubeClient, name: string): Promise<void> {
  const end = performance.now() + GONE_MS;
  for (;;) {
    const found = await client.find<KubeObject & { spec?: { finalizers?: string[] } }>({
      path: namespacePath(name),
    });
    if (!found) return;
    if (performance.now() > end)
      throw new UserError(`the namespace ${name} is not gone after ${GONE_MS / 1000} s`, {
        hint: `See what holds it: kubectl get namespace ${name} -o yaml`,
      });
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    client.signal.throwIfAborted();
  }
}
