import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';
import { deleteAt } from '../../kube/leftovers.ts';
import { cleanupOutcome, cleanupTrouble, removeCleanupPods, startCleanup } from '../../kube/node-cleanup.ts';
import { listAll } from '../../kube/pages.ts';
import { podPath, podsPath } from '../../kube/pods.ts';
import { bounded } from '../../lib/bounded.ts';
import { compareNatural } from '../../lib/order.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { Patience } from './patience.ts';

/** So many nodes at once. */
const AT_ONCE = 10;

/** The names of all nodes. */
export async function nodeNames(client: KubeClient): Promise<string[]> {
  const names = await listAll<KubeObject, string>(
    client,
    '/api/v1/nodes',
    { namesOnly: true },
    ({ metadata }) => metadata?.name,
  );
  return names.toSorted(compareNatural);
}

/**
 * Cleans every node up by a privileged pod on each, once no agent is left, which would bring everything back. Returns what failed, a
 * line for each node.
 */
export async function cleanNodes(
  client: KubeClient,
  { namespace, image, limitMs }: { namespace: string; image: string; limitMs: number },
  ctx: Context,
): Promise<string[]> {
  const agents = () =>
    listAll<KubeObject, string>(
      client,
      podsPath(undefined),
      { labelSelector: 'k8s-app=cilium', namesOnly: true },
      ({ metadata }) => metadata?.name,
    );
  if (!(await new Patience(limitMs, ctx).until(async () => (await agents()).length === 0)))
    return [`no node was cleaned up: agents still run (${(await agents()).length})`];
  await removeCleanupPods(client, namespace);
  const nodes = await nodeNames(client);
  await ctx.out.write(
    `🔥 Cleaning up the state of ${nodes.length} ${nodes.length === 1 ? 'node' : 'nodes'}...\n`,
  );
  const results = await Promise.all(
    bounded(nodes, AT_ONCE, async (node) => {
      try {
        const why = await cleanNode(client, { namespace, image, limitMs, node }, ctx);
        return why === '' ? undefined : `node ${node} was not cleaned up: ${sanitizeCell(why)}`;
      } catch (error) {
        ctx.signal.throwIfAborted();
        if (!(error instanceof UserError)) throw error;
        return `node ${node} was not cleaned up: ${sanitizeCell(wordsOf(error))}`;
      }
    }),
  );
  return results.filter((line) => line !== undefined);
}

async function cleanNode(
  client: KubeClient,
  run: { namespace: string; node: string; image: string; limitMs: number },
  ctx: Context,
): Promise<string> {
  const pod = await startCleanup(client, run);
  let outcome: string | undefined;
  try {
    const hasEnded = await new Patience(run.limitMs, ctx).until(async () => {
      outcome = await cleanupOutcome(client, run.namespace, pod);
      return outcome !== undefined;
    });
    if (!hasEnded) outcome = await cleanupTrouble(client, run.namespace, pod);
  } finally {
    // A run that is stopped leaves it: it ends by its own deadline, and the next run takes it away.
    if (!ctx.signal.aborted) await deleteAt(client, podPath(run.namespace, pod));
  }
  if (outcome === '') await ctx.out.write(`  Cleaned up node ${sanitizeCell(run.node)}\n`);
  return outcome ?? '';
}
