import type { Context } from '../../context.ts';
import type { KubeObject } from '../../kube/client.ts';
import { namespacePath } from '../../kube/paths.ts';
import { openCluster } from '../../kube/road.ts';
import { removeNamespace } from './namespace.ts';

/** How long taking away may take, also after Ctrl-C. */
const CLEANUP_MS = 90_000;
const PART_MISSING = 3;

/** Removes the namespace, with a client that goes on after Ctrl-C. What stays is said, and removed by the next run. */
export async function takeAway(
  namespace: string,
  say: (text: string) => Promise<void>,
  ctx: Context,
): Promise<void> {
  const here: Context = { ...ctx, signal: AbortSignal.timeout(CLEANUP_MS) };
  await using client = await openCluster(here);
  try {
    const found = await client.find<KubeObject>({ path: namespacePath(namespace) });
    if (found) await removeNamespace(client, found, say);
  } catch (error) {
    const why = here.signal.aborted ? `no end within ${CLEANUP_MS / 1000} s` : (error as Error).message;
    ctx.exitCode = PART_MISSING;
    await ctx.err.write(
      `The namespace ${namespace} was not removed: ${why}\nRemove it with: cilium connectivity test --cleanup\n`,
    );
  }
}
