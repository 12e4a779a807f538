import { mayWrite, type WriteOptions } from '../../cli/confirm.ts';
import { helmCommand } from '../../cli/helm/command.ts';
import type { HelmFlags } from '../../cli/helm/flags.ts';
import { REPOSITORY, upgradeRelease } from '../../cli/helm/upgrade-release.ts';
import { shownValues, type Values, wholeValues } from '../../cluster/clustermesh/values.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { wordsOf } from '../../kube/client.ts';
import { findHelm, NoHelm } from '../../kube/helm.ts';
import { type Ownership, readOwnership } from '../../kube/owner.ts';
import { bounded } from '../../lib/bounded.ts';
import { valuesYaml } from '../../render/cluster/values.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import type { Member } from './members.ts';

/** What is to become of the release of one cluster. */
export type Step = Pick<Member, 'client' | 'cluster' | 'title' | 'namespace' | 'release'> & {
  values: Values;
  /** Told before it is done. */
  line?: string;
};

/** How it is done, and what it is called. */
export interface ApplyFlags extends HelmFlags, WriteOptions {
  /** How many at once, after the first. */
  parallel?: number;
}

/**
 * Does the steps, the first one before all others, after everything that would stop one of them has been looked at: so that as
 * little as possible is left half done, and never without a word. Returns false for a dry run.
 */
export async function applySteps(
  steps: readonly Step[],
  what: string,
  flags: ApplyFlags,
  ctx: Context,
): Promise<boolean> {
  await refuseOwned(steps, ctx);
  await requireHelm(steps, flags, ctx);
  if (flags.dryRun) await print(steps, ctx);
  if (!(await mayWrite(ctx, what, flags))) return false;
  const [first, ...others] = steps;
  if (!first) return true;
  const [begun, done]: [Step[], Step[]] = [[], []];
  const failed: { step: Step; error: UserError }[] = [];
  const one = async (step: Step) => {
    ctx.signal.throwIfAborted();
    if (step.line !== undefined) await ctx.out.write(`${step.line}\n`);
    begun.push(step);
    try {
      await upgradeRelease(ctx, step.client, {
        values: shownValues(step.values),
        whole: { values: wholeValues(step.release.values, step.values), revision: step.release.revision },
        namespace: step.namespace,
        release: step.release.name,
        cluster: step.cluster,
        helm: flags.helm,
      });
      done.push(step);
    } catch (error) {
      ctx.signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      failed.push({ step, error });
    }
  };
  try {
    await one(first);
    // Of two clusters at least one is to know the other before anything is said of the rest.
    if (failed.length === 0) await Promise.all(bounded(others, flags.parallel ?? 1, one));
  } catch (error) {
    if (ctx.signal.aborted) await ctx.err.write(`${halfDone(steps, done, begun)}\n`);
    throw error;
  }
  if (failed.length === 0) return true;
  const [{ error } = { error: new UserError(what) }] = failed;
  const told = failed.map(({ step, error: why }) => `cluster ${step.title}: ${wordsOf(why)}`);
  const hint = [error.hint, halfDone(steps, done, begun)].filter((one) => one !== undefined).join('\n');
  throw new UserError(told.join('\n'), { hint, cause: error });
}

/** Which clusters have their new values, which have not, and which were on the way. */
function halfDone(steps: readonly Step[], done: readonly Step[], begun: readonly Step[]): string {
  const parts: [string, Step[]][] = [
    ['Changed', [...done]],
    ['Not ended', begun.filter((step) => !done.includes(step))],
    ['Not changed', steps.filter((step) => !begun.includes(step))],
  ];
  const told = parts
    .filter(([, list]) => list.length > 0)
    .map(([word, list]) => `${word}: ${list.map(({ title }) => sanitizeCell(title)).join(', ')}.`);
  return `${told.join(' ')} The same can be run again: it does no harm to those that are changed.`;
}

/** Throws where Argo CD or Flux would set one of the releases back. What is to be committed goes to stdout. */
async function refuseOwned(steps: readonly Step[], ctx: Context): Promise<void> {
  const owned: { step: Step; owner: NonNullable<Ownership['gitOps']> }[] = [];
  for (const step of steps) {
    const { gitOps, unseen } = await readOwnership(step.client, step.namespace, step.release.name);
    if (gitOps) owned.push({ step, owner: gitOps });
    else
      for (const why of unseen)
        await ctx.err.write(
          `Note: whether Argo CD or Flux owns the release of cluster ${sanitizeCell(step.title)} is not certain: ${sanitizeCell(why)}\n`,
        );
  }
  if (owned.length === 0) return;
  await print(steps, ctx);
  const names = owned.map(
    ({ step, owner }) => `that of cluster ${step.title} to ${owner.kind} (${owner.name})`,
  );
  throw new UserError(`the release belongs to somebody else, ${names.join(', ')}: nothing was changed`, {
    hint: `Told by ${owned.map(({ owner }) => owner.by).join(', ')}. Commit the values above where they are read, each in its cluster.`,
  });
}

/** Throws where there is no helm. What somebody else can run goes to stdout. */
async function requireHelm(steps: readonly Step[], flags: HelmFlags, ctx: Context): Promise<void> {
  try {
    await findHelm(flags.helm, ctx);
  } catch (error) {
    if (!(error instanceof NoHelm)) throw error;
    await print(steps, ctx);
    throw new UserError(`${error.message}: nothing was changed`, {
      hint: `${error.hint ?? ''} Or run the commands that are printed above, with what is below each of them.`.trim(),
      cause: error,
    });
  }
}

/** What the values of each cluster are to hold and the commands that set them, without what is secret. */
async function print(steps: readonly Step[], ctx: Context): Promise<void> {
  for (const [i, { cluster, namespace, release, title, values }] of steps.entries()) {
    const place = { cluster, namespace };
    const read = helmCommand({
      words: ['get', 'values', release.name, '-o', 'yaml'],
      ...place,
      values: false,
    });
    const words = [
      'upgrade',
      release.name,
      'cilium',
      '--repo',
      REPOSITORY,
      '--version',
      release.chartVersion,
    ];
    const write = helmCommand({ words: [...words, '--reset-values'], ...place });
    await ctx.out.write(
      `${i === 0 ? '' : '---\n'}# Cluster ${sanitizeCell(title)}: in the values of its release, in the place of what is there now:\n# ${sanitizeCell(`${read} > values.yaml`)}\n# ${sanitizeCell(write)}\n${await valuesYaml(shownValues(values))}`,
    );
  }
}
