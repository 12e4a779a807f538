import { type Command, Option } from 'commander';
import { examples, stringArray } from '../../cli/flags.ts';
import { releaseArgument } from '../../cli/global-flags.ts';
import { type PolicyFile, readInput } from '../../cli/policy/files.ts';
import { writeReport } from '../../cli/report.ts';
import { type Facts, loadFacts, minorOf } from '../../cluster/config/facts.ts';
import { documentsText, repair } from '../../cluster/config/fix.ts';
import { type Given, givenOfKeys } from '../../cluster/config/given.ts';
import type { Change, Lint } from '../../cluster/config/lint.ts';
import { lintConfig } from '../../cluster/config/lint-documents.ts';
import { lintKeys } from '../../cluster/config/lint-keys.ts';
import { pairsText, parseSetPairs, repairPairs } from '../../cluster/config/set-pairs.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UsageError, UserError } from '../../errors.ts';
import { byPosition } from '../../model/finding.ts';
import { isNewer, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import { reportOfFindings } from '../../model/report.ts';
import { REPORT_FORMATS } from '../../model/report-format.ts';
import { findingsJson, renderFindings } from '../../render/policy/findings.ts';
import { paletteFor } from '../../render/text/palette.ts';

const FORMATS = ['text', 'json', ...REPORT_FORMATS] as const;

interface LintOptions {
  target?: Release;
  set: string[];
  live?: boolean;
  fix?: boolean;
  failOn: 'error' | 'warning' | 'never';
  output: (typeof FORMATS)[number];
}

/** Declares `config lint`. */
export function addConfigLintCommand(command: Command, ctx: Context): void {
  command
    .addHelpText(
      'after',
      examples(
        'cilium config lint values.yaml --target 1.20',
        'cilium config lint base.yaml production.yaml --set tunnel=disabled',
        'cilium config lint values.yaml --fix > new-values.yaml',
        'kubectl -n kube-system get cm cilium-config -o yaml | cilium config lint -',
        'cilium config lint --live --target 1.20 -o sarif',
      ),
    )
    .argument('[files...]', "Helm's values, or a ConfigMap cilium-config; - for stdin")
    .addOption(
      new Option(
        '--target <release>',
        'The release that it is checked for (default: the newest; of --live its own)',
      ).argParser(releaseArgument),
    )
    .addOption(stringArray('--set <pairs>', "Helm's values as NAME=VALUE; may be repeated"))
    .option('--live', 'Check the ConfigMap of the cluster')
    .option('--fix', 'Print the file with all that is certain repaired; findings go to stderr')
    .addOption(
      new Option('--fail-on <severity>', 'What ends with exit code 1')
        .choices(['error', 'warning', 'never'])
        .default('error'),
    )
    .addOption(new Option('-o, --output <format>', 'Output format').choices(FORMATS).default('text'))
    .action((files: string[], options: LintOptions) => runConfigLint(files, options, ctx));
}

/** Checks a configuration; nothing is changed. */
export async function runConfigLint(files: string[], options: LintOptions, ctx: Context): Promise<void> {
  const kinds = [files.length > 0 || options.set.length > 0, options.live === true].filter(Boolean).length;
  if (kinds !== 1)
    throw new UsageError(
      kinds === 0
        ? 'nothing to check: name files, or use --set or --live'
        : '--live checks the ConfigMap of the cluster: files and --set are checked without it',
    );
  if (options.fix && (options.live || files.length > 1 || (files.length === 1 && options.set.length > 0)))
    throw new UsageError('--fix repairs one file at a time, or the pairs of --set');
  const facts = await loadFacts();
  if (options.live) return lintLive(facts, options, ctx);
  const target = options.target ?? NEWEST_RELEASE;
  const minor = await knownMinor(target, ctx);
  const texts: PolicyFile[] = [];
  for (const file of files) texts.push(await readInput(file, ctx, 'Unable to check the configuration'));
  const pairs = parseSetPairs(options.set);
  const check = (inputs: readonly PolicyFile[], given: readonly Given[]) =>
    lintConfig(inputs, given, facts, minor).catch((error: unknown) => {
      const isFault =
        error instanceof SyntaxError || error instanceof RangeError || error instanceof ReferenceError;
      if (!isFault) throw error;
      const why =
        error instanceof RangeError ? 'its parts are nested too deeply to be read' : errorMessage(error);
      throw new UserError(`Unable to check the configuration: ${why}`, { cause: error });
    });
  if (options.fix) return fix(texts[0], options.set, check, options, ctx);
  const { findings } = await check(texts, pairs);
  await report(findings, files, target, options, ctx);
}

/** The minor that is checked for. A newer one than all that are known is taken for the newest. */
async function knownMinor(target: Release, ctx: Context): Promise<number> {
  if (!isNewer(target)) return minorOf(target);
  await ctx.err.write(
    `Note: the toolkit knows releases up to ${NEWEST_RELEASE}: ${target} is checked as ${NEWEST_RELEASE}.\n`,
  );
  return minorOf(NEWEST_RELEASE);
}

type Check = (
  files: readonly PolicyFile[],
  pairs: readonly Given[],
) => Promise<Awaited<ReturnType<typeof lintConfig>>>;

/** One repair can show the next: a name that moved twice. */
const MOST_REPAIRS = 8;

async function fix(
  first: PolicyFile | undefined,
  set: readonly string[],
  check: Check,
  options: LintOptions,
  ctx: Context,
): Promise<void> {
  let [file, pairs, findings, repaired]: [PolicyFile | undefined, readonly string[], Lint[], number] = [
    first,
    set,
    [],
    0,
  ];
  for (let round = 0; round <= MOST_REPAIRS; round++) {
    const checked = await check(file ? [file] : [], parseSetPairs(pairs));
    findings = checked.findings;
    const changes: readonly (readonly Change[])[] = findings.flatMap((one) => (one.fix ? [one.fix] : []));
    if (file) {
      if (findings.some(({ code }) => code === 'syntax')) break;
      const counts = checked.documents.map(({ document, findings: own }) => repair(document, own));
      const done = counts.reduce((sum, count) => sum + count, 0);
      if (done === 0) break;
      repaired += done;
      file = {
        ...file,
        text: documentsText(
          checked.documents.map(({ document }) => document),
          file.text,
        ),
      };
    } else {
      const next = repairPairs(pairs, changes);
      if (next.repaired === 0) break;
      repaired += next.repaired;
      pairs = next.pairs;
    }
  }
  await ctx.out.write(file ? file.text : pairsText(pairs));
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.err.isTTY);
  const left = findings.toSorted(byPosition);
  await ctx.err.write(renderFindings(left, palette));
  await ctx.err.write(`${counted(repaired, 'finding')} repaired, ${left.length} left.\n`);
  setExitCode(left, options, ctx);
}

async function lintLive(facts: Facts, options: LintOptions, ctx: Context): Promise<void> {
  const [{ openStoredConfig }, { installedRelease }] = await Promise.all([
    import('./stored.ts'),
    import('../../kube/release.ts'),
  ]);
  const { client, stored } = await openStoredConfig(ctx, 'Unable to check config');
  const target = options.target ?? (await installedRelease(client, stored.namespace)) ?? NEWEST_RELEASE;
  const file = `configmap/${stored.namespace}/cilium-config`;
  const data = givenOfKeys(stored.data, file);
  const findings = lintKeys(data, facts, await knownMinor(target, ctx));
  await report(findings, [file], target, options, ctx);
}

async function report(
  unsorted: readonly Lint[],
  files: readonly string[],
  target: Release,
  options: LintOptions,
  ctx: Context,
): Promise<void> {
  const findings = unsorted.toSorted(byPosition);
  setExitCode(findings, options, ctx);
  const named = files.length > 0 ? files : ['--set'];
  if (options.output === 'json') return ctx.out.write(findingsJson({ files: named, findings }));
  if (options.output !== 'text')
    return writeReport(
      ctx,
      options.output,
      reportOfFindings('cilium config lint', named, findings, options.failOn),
    );
  await ctx.out.write(renderFindings(findings, paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY)));
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const warnings = findings.length - errors;
  await ctx.err.write(`${counted(errors, 'error')}, ${counted(warnings, 'warning')} for ${target}.\n`);
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? '' : 's'}`;
}

function setExitCode(findings: readonly Lint[], { failOn }: LintOptions, ctx: Context): void {
  const isBad = ({ severity }: Lint) => severity === 'error' || failOn === 'warning';
  if (failOn !== 'never' && findings.some(isBad)) ctx.exitCode = 1;
}
