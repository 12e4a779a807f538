import { type Command, Option } from 'commander';
import { examples, integer, stringSlice } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { KubeClient } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { type ComponentLog, listLogs, listNodes } from '../../kube/log-sources.ts';
import { readLog } from '../../kube/logs.ts';
import { openCluster } from '../../kube/road.ts';
import { bounded } from '../../lib/bounded.ts';
import { compareNatural } from '../../lib/order.ts';
import { Failures } from './failures.ts';
import { followLogs } from './follow.ts';
import { LOG_FORMATS, type LogsOptions, type Plan, planOf } from './plan.ts';
import { LogPrinter, type PrintedLine, writeByTime } from './printer.ts';

/** Lines of logs that wait to be put in order. */
const MAX_KEPT_BYTES = 256 * 1024 * 1024;
/** Longest silence of a log that is not followed, where --timeout does not say so. */
const SILENCE_MS = 30_000;

/** Declares `logs`. */
export function addLogsCommand(command: Command, ctx: Context): void {
  command
    .optionsGroup('Which logs:')
    .addOption(
      new Option('--node <names>', 'Only of these nodes')
        .argParser((text: string, before: string[]) => [...before, ...text.split(',')])
        .default([], ''),
    )
    .option('--all-nodes', 'Of all nodes, which is the default')
    .option('--limit-nodes <selector>', 'Only of the nodes with these labels')
    .addOption(
      stringSlice(
        '--component <names>',
        'Of these parts: agent (the default), operator, relay, envoy or all',
      ),
    )
    .option('--previous', 'Of the containers before their last restart')
    .addOption(
      integer('--concurrency <n>', 'Logs that are read at once, without --follow (default 10)', {
        min: 1,
        max: 500,
      }),
    )
    .optionsGroup('Which lines:')
    .option('-f, --follow', 'Go on with what comes')
    .option('--since <time>', 'From a time on: 5m for five minutes ago, or 2026-01-31T15:04:05Z')
    .addOption(
      integer('--tail <n>', 'The last n of each log, -1 for all (default 100, and all with --since)', {
        min: -1,
      }),
    )
    .option('--level <level>', 'At least this level: debug, info, warn, error or fatal')
    .addOption(stringSlice('--subsys <names>', 'Only of these subsystems or modules, such as daemon'))
    .option('--grep <pattern>', 'Only lines that this regular expression (RE2) is found in')
    .optionsGroup('Formatting Flags:')
    .addOption(
      new Option(
        '-o, --output <format>',
        'Form of the output: text, json (an object per line) or raw',
      ).default(LOG_FORMATS[0]),
    )
    .addHelpText(
      'after',
      examples(
        'cilium logs --node worker-2 --follow',
        'cilium logs --since 10m --level warn',
        'cilium logs --component all --limit-nodes zone=a --grep "identity|endpoint"',
        'cilium logs --previous --tail -1 -o raw --node worker-2',
        'cilium logs --from cilium-sysdump.zip --level warn',
      ),
    )
    .action((options: LogsOptions) => runLogs(options, ctx));
}

/** Prints the lines that are wanted, in the order of their times, or as they come. */
export async function runLogs(options: LogsOptions, ctx: Context): Promise<void> {
  const plan = await planOf(options);
  const stop = new AbortController();
  const here: Context = { ...ctx, signal: AbortSignal.any([ctx.signal, stop.signal]) };
  await using client = await openCluster(here);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const nodes = plan.selector === undefined ? plan.nodes : new Set(await listNodes(client, plan.selector));
  const isMeant = ({ node }: ComponentLog) => nodes?.has(node) ?? true;
  const found = await Promise.all(plan.components.map((one) => listLogs(client, namespace, one)));
  const logs = found
    .flat()
    .filter(isMeant)
    .toSorted((a, b) => compareNatural(a.node, b.node));
  const failures = new Failures(ctx);
  const printer = new LogPrinter(plan, ctx);
  const bare = withoutAgent(plan, logs);
  for (const node of bare) await failures.add(node, new UserError('no agent of Cilium runs there'));
  if (logs.length === 0 && bare.length === 0) throw nothing(plan, namespace);
  let count = logs.length;
  try {
    if (plan.query.follow)
      await followLogs({ client, namespace, plan, isMeant, printer, failures }, logs, here);
    else count = await readAll(client, logs, plan, printer, failures, here);
  } finally {
    stop.abort(new DOMException('the logs have ended', 'AbortError'));
  }
  if (ctx.signal.aborted) return;
  await failures.tell(count + bare.length, ctx);
}

/** Of the nodes that were named those whose agent is asked for and not there. */
function withoutAgent({ components, nodes }: Plan, logs: readonly ComponentLog[]): string[] {
  if (!components.includes('agent')) return [];
  const there = new Set(logs.filter(({ component }) => component === 'agent').map(({ node }) => node));
  return [...(nodes ?? [])].filter((node) => !there.has(node));
}

function nothing({ components, nodes, selector }: Plan, namespace: string): UserError {
  const where =
    selector !== undefined ? ` on nodes with ${selector}` : nodes ? ` on ${[...nodes].join(', ')}` : '';
  return new UserError(`no pod of ${components.join(', ')} is there in the namespace ${namespace}${where}`, {
    hint: 'Another namespace: --namespace. Other parts of Cilium: --component.',
  });
}

/** Reads logs to their ends, several at once, and prints their lines by time. Returns how many were meant. */
async function readAll(
  client: KubeClient,
  logs: readonly ComponentLog[],
  plan: Plan,
  printer: LogPrinter,
  failures: Failures,
  ctx: Context,
): Promise<number> {
  const meant = plan.query.previous ? logs.filter(({ hasEndedBefore }) => hasEndedBefore) : logs;
  if (meant.length === 0 && logs.length > 0) {
    await ctx.err.write('No container was restarted: there are no logs from before.\n');
    return 0;
  }
  printer.expect(meant);
  const timeoutMs = ctx.globals.timeoutMs ?? SILENCE_MS;
  const read = async (log: ComponentLog, take: (lines: PrintedLine[]) => Promise<void>) => {
    const options = { say: printer.sayOf(log), sleep: ctx.clock.sleep, timeoutMs };
    const sieve = printer.sieve();
    try {
      for await (const records of readLog(client, log, plan.query, options))
        await take(printer.lines(log, sieve, records));
    } catch (error) {
      if (ctx.signal.aborted || !(error instanceof UserError) || error instanceof TooMuch) throw error;
      await failures.add(printer.labelOf(log), error);
    }
  };
  const [only, second] = meant;
  if (only && !second) {
    await read(only, (lines) => ctx.out.write(lines.map(({ text }) => text).join('')));
    return 1;
  }
  let size = 0;
  const kept = await Promise.all(
    bounded(meant, plan.concurrency, async (log) => {
      const lines: PrintedLine[] = [];
      await read(log, async (more) => {
        for (const line of more) {
          size += line.text.length;
          lines.push(line);
        }
        if (size > MAX_KEPT_BYTES) throw new TooMuch();
      });
      return lines;
    }),
  );
  await writeByTime(kept, ctx);
  return meant.length;
}

class TooMuch extends UserError {
  constructor() {
    super(`the logs are larger than ${MAX_KEPT_BYTES / 1024 / 1024} MiB, too much to be put in order`, {
      hint: 'Ask for less with --since, --tail or --level, or for one node: its log is printed as it comes.',
    });
  }
}
