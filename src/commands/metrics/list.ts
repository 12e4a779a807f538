import type { Command } from 'commander';
import { ApiError, socketPath, TIMEOUT_MS } from '../../agent/client.ts';
import { listMetrics } from '../../agent/decode/metrics.ts';
import { apiType } from '../../agent/decode/shapes.ts';
import { TransportError } from '../../agent/http/http.ts';
import { DEFAULT_SHELL_SOCKET, dialShell, type ShellConnection } from '../../agent/shell.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { outputOption } from '../../cli/output.ts';
import { openShell, printAnswer } from '../../cli/shell.ts';
import type { Context } from '../../context.ts';
import { errorCode, errorMessage, UsageError, UserError } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import type { Metric } from '../../model/metric.ts';
import { renderMetricList } from '../../render/agent/metrics.ts';
import { renderOutput } from '../../render/text/output.ts';

interface MetricsListOptions {
  matchPattern: string;
  output: string;
  /** Only when the user names it. */
  shellSockPath?: string;
}

/** Declares `metrics list`. */
export function addMetricsListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples("cilium metrics list --match-pattern 'cilium_endpoint.*'", 'cilium metrics list -o json'),
  );
  command
    .option(
      '-p, --match-pattern <regexp>',
      'Show only metrics whose names match (from 1.20 on, also their labels)',
      '',
    )
    .addOption(outputOption('table'))
    .option('--shell-sock-path <path>', `Path to the shell UNIX socket (default ${DEFAULT_SHELL_SOCKET})`)
    .action((options: MetricsListOptions) => runMetricsList(options, ctx));
}

/**
 * Lists the agent's metrics: agents up to 1.17 have them in their API, later ones in their shell. Whichever answers is
 * asked; when neither does, the shell is tried for a while, as the agent may be about to come up.
 */
export async function runMetricsList(options: MetricsListOptions, ctx: Context): Promise<void> {
  const path = options.shellSockPath ?? socketPath(ctx, 'CILIUM_SHELL_SOCK', DEFAULT_SHELL_SOCKET);
  const command = metricsCommand(options);
  const shell = await openShellNow(path, ctx);
  if (shell) return listByShell(shell, command, options, ctx);
  if (options.shellSockPath === undefined && (await listByApi(options, ctx))) return;
  await listByShell(await openShell(path, ctx), command, options, ctx);
}

async function openShellNow(path: string, ctx: Context): Promise<ShellConnection | undefined> {
  try {
    return await dialShell(path, ctx.signal, ctx.dial);
  } catch (error) {
    if (ctx.signal.aborted || error instanceof UserError || errorCode(error) === 'EACCES') throw error;
    return undefined;
  }
}

async function listByShell(
  shell: ShellConnection,
  command: string,
  options: MetricsListOptions,
  ctx: Context,
): Promise<void> {
  using connection = shell;
  connection.endAfter(ctx.globals.timeoutMs ?? TIMEOUT_MS);
  const answer = connection.runOnce(command);
  if (options.output.startsWith('jsonpath=')) {
    let json = '';
    for await (const { lines, failed } of answer) {
      if (failed !== undefined) throw new UserError(failed);
      json += lines.toString('utf8');
    }
    await ctx.out.write(await renderOutput(parseAnswer(json), options.output));
  } else {
    // What the shell refuses, the reference prints, takes for a wrong flag and prints again.
    const failure = await printAnswer(answer, ctx, { bare: true });
    if (failure !== undefined) throw new UsageError(failure, { flagsError: failure });
  }
}

function parseAnswer(json: string): unknown {
  try {
    return parsePlainJson(json);
  } catch (cause) {
    throw new UserError("the agent's shell answered with something else than JSON", { cause });
  }
}

/** The shell takes a pattern between single quotes, where a quote is written twice. */
function metricsCommand({ matchPattern: pattern, output }: MetricsListOptions): string {
  if (/[\n\r]/.test(pattern))
    throw new UserError('invalid argument for "-p, --match-pattern" flag: it contains a line break');
  const format = output === '' ? 'table' : output.startsWith('jsonpath=') ? 'json' : output;
  return `metrics --format=${format} '${pattern.replaceAll("'", "''")}'`;
}

/** False when the agent's API has no metrics, or does not answer at all. */
async function listByApi(options: MetricsListOptions, ctx: Context): Promise<boolean> {
  let all: Metric[];
  try {
    all = await listMetrics(await ctx.agent());
  } catch (error) {
    if (error instanceof ApiError && (error.status === 404 || error.status === 405)) return false;
    if (error instanceof TransportError && (error.fault === 'no-socket' || error.fault === 'refused'))
      return false;
    return failed('Cannot get metrics list')(error);
  }
  const matches = await compilePattern(options.matchPattern);
  const metrics = all.filter((metric) => matches(metric.name));
  await ctx.out.write(
    options.output === '' || options.output === 'table'
      ? renderMetricList(metrics)
      : await renderOutput(
          metrics.map((metric) => metric.raw),
          options.output,
          { type: () => apiType('Metric[]') },
        ),
  );
  return true;
}

/** RE2 syntax, as Go's regexp has it. */
async function compilePattern(pattern: string): Promise<(name: string) => boolean> {
  if (pattern === '') return () => true;
  const { RE2JS } = await import('re2js');
  try {
    const compiled = RE2JS.compile(pattern);
    return (name) => compiled.matcher(name).find();
  } catch (error) {
    throw new UserError(`Cannot compile regex: ${errorMessage(error)}`, { cause: error });
  }
}
