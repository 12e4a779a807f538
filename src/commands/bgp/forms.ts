import { buildOfAgent } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { NEWEST_RELEASE, type Release, releaseOfPinsOf } from '../../model/release.ts';

/** The release whose tables are printed; `unsaid` where the agent does not say its own. */
export async function releaseOfForms(ctx: Context, unsaid: Release = NEWEST_RELEASE): Promise<Release> {
  const build = await buildOfAgent(ctx);
  return build ? releaseOfPinsOf(build) : unsaid;
}
