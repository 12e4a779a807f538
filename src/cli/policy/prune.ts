import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { KubeClient, type KubeOptions } from '../../kube/client.ts';
import { type FoundPolicy, findPolicies, removeObject } from '../../kube/remove.ts';
import { goJson } from '../../render/text/json.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { pruneUndo, reserveUndo } from '../undo.ts';

/** What goes when policies are applied, and where it is kept. */
export interface PruneOptions extends KubeOptions {
  /** Labels of the set that was applied. */
  selector: string;
  /** `kind namespace/name` of each object that was applied. */
  applied: ReadonlySet<string>;
  dryRun: boolean;
  undoFile: string | undefined;
}

/**
 * Removes the policies of a set that are not among those that were applied: only such as this program has applied
 * before. They are on disk before the first one goes.
 */
export async function prunePolicies(options: PruneOptions, ctx: Context): Promise<void> {
  const { selector, applied, dryRun, undoFile } = options;
  await using client = await KubeClient.open(options);
  const found = (await findPolicies(client, selector)).filter(({ name }) => !applied.has(name));
  const [going, foreign] = [found.filter(({ isOwn }) => isOwn), found.filter(({ isOwn }) => !isOwn)];
  for (const { name } of foreign)
    await ctx.err.write(
      `${sanitizeCell(name)} has the labels ${selector} and stays: it was not applied by cilium-toolkit.\n`,
    );
  if (going.length === 0) return;
  const undo = dryRun ? undefined : await recordPolicies('pruned', going, undoFile, ctx);
  await removePolicies(client, going, { done: 'pruned', dryRun, undo }, ctx);
}

/** Removes policies one by one, and tells where they are kept, also when it is stopped in between. */
export async function removePolicies(
  client: KubeClient,
  going: readonly FoundPolicy[],
  { done, dryRun, undo }: { done: 'deleted' | 'pruned'; dryRun: boolean; undo: string | undefined },
  ctx: Context,
): Promise<void> {
  let failed = 0;
  try {
    for (const policy of going) {
      const name = sanitizeCell(policy.name);
      try {
        await removeObject(client, policy, { dryRun });
      } catch (error) {
        ctx.signal.throwIfAborted();
        failed++;
        await ctx.err.write(`${name}: ${sanitizeCell(errorMessage(error))}\n`);
        continue;
      }
      await ctx.out.write(`${name} ${done}${dryRun ? ' (dry run)' : ''}\n`);
      const finalizers = dryRun ? [] : finalizersOf(policy);
      if (finalizers.length > 0)
        await ctx.err.write(
          `${name} goes when its finalizers have run: ${sanitizeCell(finalizers.join(', '))}\n`,
        );
    }
  } finally {
    if (undo !== undefined)
      await ctx.err.write(`To bring them back: cilium policy import --via kubernetes ${undo}\n`);
  }
  if (failed > 0) throw new UserError(`${failed} of ${going.length} policies could not be ${done}`);
}

function finalizersOf({ object }: FoundPolicy): string[] {
  const { finalizers } = (object.metadata ?? {}) as { finalizers?: unknown };
  return Array.isArray(finalizers) ? finalizers.map(String) : [];
}

/** What the API server, owners and controllers write of an object, and nobody applies again: an owner may be gone by then. */
const NOT_KEPT = new Set([
  ...['uid', 'resourceVersion', 'creationTimestamp', 'generation', 'selfLink', 'managedFields'],
  ...['ownerReferences', 'finalizers', 'deletionTimestamp', 'deletionGracePeriodSeconds'],
]);

/** Saves policies for `policy import --via kubernetes`, and returns the file. Throws, and nothing is to go then. */
export async function recordPolicies(
  verb: string,
  going: readonly FoundPolicy[],
  undoFile: string | undefined,
  ctx: Context,
): Promise<string> {
  const items = going.map(({ object }) => {
    const { status: _, ...rest } = object as Record<string, unknown>;
    const metadata = Object.entries(object.metadata ?? {}).filter(([key]) => !NOT_KEPT.has(key));
    return { ...rest, metadata: Object.fromEntries(metadata) };
  });
  const list = { apiVersion: 'v1', kind: 'List', items };
  const path = await reserveUndo(ctx, verb, undoFile, `${goJson(list, 2)}\n`);
  if (undoFile === undefined) await pruneUndo(ctx, verb);
  return path;
}
