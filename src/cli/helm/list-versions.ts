import type { Context } from '../../context.ts';
import { findHelm } from '../../kube/helm.ts';
import { type ChartFlags, listChartVersions } from './chart.ts';
import type { HelmFlags } from './flags.ts';

/** Prints the versions of a repository, newest first, with the one that is taken when none is named. */
export async function printVersions(flags: ChartFlags & HelmFlags, ctx: Context): Promise<void> {
  const helm = await findHelm(flags.helm, ctx);
  const versions = await listChartVersions(helm, flags, ctx);
  const chosen = versions.find((version) => !version.includes('-'));
  const lines = versions.map(
    (version) => `v${version.replace(/^v/, '')}${version === chosen ? ' (default)' : ''}\n`,
  );
  await ctx.out.write(lines.join(''));
}
