import { readRelease } from '../agent/decode/release.ts';
import type { Context } from '../context.ts';
import { atLeast, type Build, NEWEST_RELEASE, type Release, releaseOfPinsOf } from '../model/release.ts';

const told = new WeakSet<Context>();

/**
 * The release of the agent, for verbs whose words, forms or calls differ between releases; undefined when the agent does
 * not say it. A release that is newer than the toolkit is treated as the newest one, which is said once.
 */
export async function releaseOfAgent(ctx: Context): Promise<Release | undefined> {
  return (await buildOfAgent(ctx))?.release;
}

/** The release of the agent, and whether it was built on the way to it. */
export async function buildOfAgent(ctx: Context): Promise<Build | undefined> {
  const found = await readRelease(await ctx.agent());
  await tellNewer(found?.newer, ctx);
  return found;
}

/** The release whose tables are printed; `unsaid` where the agent does not say its own. */
export async function releaseOfForms(ctx: Context, unsaid: Release = NEWEST_RELEASE): Promise<Release> {
  const build = await buildOfAgent(ctx);
  return build ? releaseOfPinsOf(build) : unsaid;
}

/** Says, once, that the agent is of a release that the toolkit does not know yet. */
export async function tellNewer(newer: Release | undefined, ctx: Context): Promise<void> {
  if (newer === undefined || told.has(ctx)) return;
  told.add(ctx);
  await ctx.err.write(
    `Note: the agent is of Cilium ${newer}, which is newer than this program: it is treated as ${NEWEST_RELEASE}.\n`,
  );
}

/** Whether the agent is of this release or a newer one; one that does not say its release is taken for the newest. */
export async function isAgentAtLeast(ctx: Context, first: Release): Promise<boolean> {
  return atLeast((await releaseOfAgent(ctx)) ?? NEWEST_RELEASE, first);
}
