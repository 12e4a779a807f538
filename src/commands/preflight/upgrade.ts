import { type Command, Option } from 'commander';
import { PARTIAL } from '../../cli/exit-codes.ts';
import { examples, stringArray } from '../../cli/flags.ts';
import { releaseArgument } from '../../cli/global-flags.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { type PolicyFile, readInput } from '../../cli/policy/files.ts';
import { writeReport } from '../../cli/report.ts';
import { reportOfUpgrade } from '../../cluster/as-checks.ts';
import { type CheckRow, checkJump, inOrder, notKnown, RESULTS } from '../../cluster/preflight/checks.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import { wordsOf } from '../../kube/client.ts';
import { ciliumNamespace } from '../../kube/install.ts';
import { installedBuild } from '../../kube/release.ts';
import { openCluster } from '../../kube/road.ts';
import { isNewer, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
import { renderPreflight } from '../../render/cluster/preflight.ts';
import { paletteFor } from '../../render/text/palette.ts';
import { Looks } from './looks.ts';

interface UpgradeOptions extends OutputFlag {
  to: Release;
  values: string[];
  all?: boolean;
}

const FAILED = 1;

/** Declares `preflight upgrade`. */
export function addPreflightUpgradeCommand(command: Command, ctx: Context): void {
  command
    .addOption(
      new Option('--to <release>', 'The release that the cluster is to run')
        .argParser(releaseArgument)
        .makeOptionMandatory(),
    )
    .addOption(
      stringArray(
        '-f, --values <file>',
        'Helm values of the upgrade (default: those of the release in the cluster); may be repeated',
      ),
    )
    .option('--all', 'Print what is in order as well')
    .addOption(outputOption(...REPORT_FORMATS))
    .addHelpText(
      'after',
      examples(
        'cilium preflight upgrade --to 1.20',
        'cilium preflight upgrade --to 1.20 -f values.yaml --all',
        'cilium preflight upgrade --to 1.20 -o json',
      ),
    )
    .action((options: UpgradeOptions) => runPreflightUpgrade(options, ctx));
}

/** Looks at everything that an upgrade may stumble over. Nothing is changed. */
async function runPreflightUpgrade(options: UpgradeOptions, ctx: Context): Promise<void> {
  const to = isNewer(options.to) ? NEWEST_RELEASE : options.to;
  if (to !== options.to)
    await ctx.err.write(`Note: the toolkit knows releases up to ${to}: ${options.to} is checked as ${to}.\n`);
  const files: PolicyFile[] = [];
  for (const file of options.values) files.push(await readInput(file, ctx, 'Unable to check the values'));
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const build = await installedBuild(client, namespace);
  const looks = new Looks({ client, namespace, from: build?.release, to, files, ctx });
  const rows = [checkJump(build?.release, options.to)];
  for (const [check, look] of looks.all())
    rows.push(
      ...(await look().catch((error: unknown): CheckRow[] => {
        ctx.signal.throwIfAborted();
        if (!(error instanceof UserError)) throw error;
        return [notKnown(check, wordsOf(error) || errorMessage(error))];
      })),
    );
  const sorted = inOrder(rows);
  const shown = options.all ? sorted : sorted.filter(({ result }) => result !== 'pass');
  if (isReportFormat(options.output)) await writeReport(ctx, options.output, reportOfUpgrade(sorted));
  else if (options.output)
    await writeStructured(ctx, options.output, {
      from: build?.release ?? null,
      to: options.to,
      checks: sorted,
    });
  else if (shown.length > 0)
    await ctx.out.write(renderPreflight(shown, paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY)));
  const counts = RESULTS.map(
    (result) => [result, rows.filter((one) => one.result === result).length] as const,
  );
  await ctx.err.write(`${counts.map(([result, count]) => `${count} ${result}`).join(', ')}\n`);
  const has = (result: CheckRow['result']) => rows.some((one) => one.result === result);
  if (has('fail')) ctx.exitCode = FAILED;
  else if (has('unknown')) ctx.exitCode = PARTIAL;
}
