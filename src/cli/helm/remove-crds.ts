import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, type KubeObject, wordsOf } from '../../kube/client.ts';
import { deleteAt, readLeftovers, releaseHeld } from '../../kube/leftovers.ts';
import { definitionPath } from '../../kube/paths.ts';
import type { LeftCrd } from '../../model/leftovers.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import type { Patience } from './patience.ts';

/**
 * Removes definitions with all their objects. Objects that wait for an operator which is gone are let go: nobody else would.
 * Returns what failed, a line each.
 */
export async function removeCrds(
  client: KubeClient,
  namespace: string,
  crds: readonly LeftCrd[],
  patience: Patience,
  ctx: Context,
): Promise<string[]> {
  if (crds.length === 0) return [];
  await ctx.out.write(`🔥 Deleting ${crds.length} ${crds.length === 1 ? 'CRD' : 'CRDs'} of Cilium...\n`);
  const failures: string[] = [];
  for (const { name } of crds)
    try {
      await deleteAt(client, definitionPath(name));
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      failures.push(`CRD ${name}: ${wordsOf(error)}`);
    }
  const wanted = new Set(crds.map(({ name }) => name));
  const isGone = await patience.until(async () => {
    const { crds: there } = await readLeftovers(client, namespace);
    for (const crd of there) if (wanted.has(crd.name)) await release(client, crd, ctx);
    return !there.some(({ name }) => wanted.has(name));
  });
  if (isGone || failures.length > 0) return failures;
  const first = await client.find<KubeObject>({ path: definitionPath([...wanted][0] ?? '') });
  return first
    ? [`CRDs are not gone in time, such as ${first.metadata?.name}`]
    : ['CRDs are not gone in time'];
}

async function release(client: KubeClient, crd: LeftCrd, ctx: Context): Promise<void> {
  if (crd.held.length === 0) return;
  await ctx.out.write(
    `  Taking finalizers off ${crd.held.length} ${crd.held.length === 1 ? 'object' : 'objects'} of ${sanitizeCell(crd.name)}\n`,
  );
  await releaseHeld(client, crd);
}
