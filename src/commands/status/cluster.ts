import { Survey } from '../../cli/kube/survey.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfCluster } from '../../cluster/as-checks.ts';
import type { ClusterStatus } from '../../cluster/status.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { openCluster } from '../../kube/road.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { clusterStatusJson, renderClusterStatus } from '../../render/cluster/status.ts';
import { wantsColor } from '../../render/text/palette.ts';
import { eraseLines } from '../../render/text/screen.ts';
import type { StatusOptions } from './options.ts';

const RETRY_MS = 2000;

/** Prints how Cilium is in the whole cluster. With `--wait` not before it is well, or the time is up. */
export async function runClusterStatus(options: StatusOptions, ctx: Context): Promise<void> {
  const { output, wait = false, waitDuration } = options;
  if (!['', 'summary', 'json', ...REPORT_FORMATS].includes(output))
    throw new UserError(`-o ${output} is for an agent's status: of a cluster there are summary and json`, {
      hint: 'One agent: cilium status --node NAME -o json. For jsonpath, pipe -o json into jq.',
    });
  await using client = await openCluster(ctx);
  const survey = await Survey.open(client, options, ctx);
  const isColoured = wantsColor(ctx.globals.color, ctx.env, ctx.out.isTTY);
  const text = (status: ClusterStatus) => renderClusterStatus(status, isColoured);
  if (options.watch) {
    if (!['', 'summary'].includes(output))
      throw new UserError(`--watch shows a text: it cannot be combined with -o ${output}`);
    const { watchText } = await import('../../cli/watch.ts');
    const look = async () => text(await survey.look(waitDuration));
    return await watchText(ctx, options.interval, look, 'The API server');
  }
  const until = ctx.clock.nowMs() + waitDuration;
  let shown = 0;
  for (;;) {
    const status = await survey.look(Math.max(1, until - ctx.clock.nowMs()));
    await ctx.out.write(eraseLines(shown));
    shown = 0;
    const { errors, warnings } = status.count();
    const isWell = errors === 0 && (warnings === 0 || options.ignoreWarnings === true);
    if (isWell || !wait) return await report(status, survey, text, options, ctx);
    const why = survey.isOver
      ? 'wait canceled, cilium agent container has crashed or was terminated: context canceled'
      : ctx.clock.nowMs() + RETRY_MS > until
        ? 'timeout while waiting for status to become successful: context deadline exceeded'
        : undefined;
    if (why !== undefined) {
      await ctx.err.write(text(status));
      throw new UserError(`Unable to determine status:  ${why}`);
    }
    if (['', 'summary'].includes(output) && options.interactive && ctx.out.isTTY) {
      await ctx.out.write(text(status));
      shown = linesOf(renderClusterStatus(status, false), ctx.out.columns ?? 80);
    }
    await ctx.clock.sleep(RETRY_MS, ctx.signal);
  }
}

async function report(
  status: ClusterStatus,
  survey: Survey,
  text: (status: ClusterStatus) => string,
  { output, unmanaged, failOn, compatExit }: StatusOptions,
  ctx: Context,
): Promise<void> {
  if (isReportFormat(output)) await writeReport(ctx, output, reportOfCluster(status, failOn));
  else if (output === 'json') for (const part of clusterStatusJson(status)) await ctx.out.write(part);
  else await ctx.out.write(text(status));
  const lost = survey.unmanaged?.length ?? 0;
  if (survey.unmanaged === undefined)
    await ctx.err.write(
      'Which pods Cilium manages is not known: CiliumEndpoints or pods could not be listed, or agents make no endpoints of the API (disable-endpoint-crd).\n',
    );
  else if (unmanaged) {
    const { renderUnmanaged } = await import('../../render/cluster/pods.ts');
    if (['', 'summary'].includes(output)) await ctx.out.write(renderUnmanaged(survey.unmanaged));
  } else if (lost > 0)
    await ctx.err.write(
      `${lost === 1 ? '1 pod is' : `${lost} pods are`} not managed by Cilium: --unmanaged tells which, and why.\n`,
    );
  if (status.collectionErrors.length > 0)
    throw new UserError(`status check failed: [${status.collectionErrors.join(', ')}]`);
  if (compatExit) return;
  const { errors, warnings } = status.count();
  if (errors > 0) ctx.exitCode = 1;
  else if (warnings > 0 && failOn === 'warning') ctx.exitCode = 2;
}

/** How many lines of the terminal a text takes. */
function linesOf(text: string, columns: number): number {
  return text
    .replace(/\n$/, '')
    .split('\n')
    .reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / columns)), 0);
}
