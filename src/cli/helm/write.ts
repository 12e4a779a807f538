import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type Helm, type HelmRan, type HelmRun, helmFault, runHelm } from '../../kube/helm.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { sanitize, sanitizeCell } from '../../render/text/sanitize.ts';

/** Has helm wait until all is ready, at most so long for each step. */
export function waitWords(waitMs: number): string[] {
  return ['--wait', '--timeout', seconds(waitMs)];
}

/** A duration as Go reads it. */
export function seconds(ms: number): string {
  return `${Math.max(1, Math.ceil(ms / 1000))}s`;
}

/** Runs helm for something that it writes: what it says is passed on, but for the error, which the caller tells. */
export async function write(ctx: Context, helm: Helm, run: Omit<HelmRun, 'onLine'>): Promise<HelmRan> {
  let hasFailed = false;
  const onLine = (line: string) => {
    hasFailed ||= line.startsWith('Error: ');
    if (!hasFailed && line.trim() !== '') void ctx.err.write(`helm: ${sanitizeCell(line)}\n`).catch(() => {});
  };
  try {
    return await runHelm(helm, { ...run, onLine }, ctx);
  } catch (error) {
    if (ctx.signal.aborted)
      await ctx.err.write(
        `Stopped: helm was told to end, and may have changed something. See: helm history ${run.words[1] ?? ''} -n ${run.namespace ?? ''}\n`,
      );
    throw error;
  }
}

/** What a release would be. */
export interface Rendered {
  manifest: string;
  config: Record<string, unknown>;
  hooks: { name: string; manifest: string }[];
}

/**
 * What an installation or upgrade would make, by a dry run of helm. `server`: what the chart looks up in the cluster is looked up;
 * without, no secret of the cluster can be in the result.
 */
export async function rendered(
  ctx: Context,
  helm: Helm,
  run: Omit<HelmRun, 'onLine'>,
  by: 'client' | 'server',
): Promise<Rendered> {
  const ran = await runHelm(helm, { ...run, words: [...run.words, `--dry-run=${by}`, '-o', 'json'] }, ctx);
  if (ran.code !== 0)
    throw new UserError(sanitize(helmFault(ran).replace(/^(?:UPGRADE|INSTALLATION) FAILED: /, '')), {
      hint: 'helm refused it before anything was changed.',
    });
  const value: unknown = parsePlainJson(ran.stdout);
  const { manifest = '', config, hooks } = isRecord(value) ? value : {};
  return {
    manifest: String(manifest),
    config: isRecord(config) ? config : {},
    hooks: (Array.isArray(hooks) ? hooks : []).filter(isRecord).map((hook) => ({
      name: `${hook.kind ?? ''} ${hook.name ?? ''}`,
      manifest: String(hook.manifest ?? ''),
    })),
  };
}
