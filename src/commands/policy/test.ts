import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { TransportError } from '../../agent/http/http.ts';
import { examples } from '../../cli/flags.ts';
import { readInput } from '../../cli/policy/files.ts';
import {
  addRulesOption,
  addStateOptions,
  loadEngine,
  type StateFlags,
  usualState,
} from '../../cli/policy/inputs.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { formatPosition } from '../../model/finding.ts';
import { isReportFormat, REPORT_FORMATS, type ReportFormat } from '../../model/report-format.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { readDocuments } from '../../policy/read/documents.ts';
import { reportOfTests } from '../../policy/reports/as-checks.ts';
import { starterFile, starterTests } from '../../policy/reports/starter-test-file.ts';
import {
  expectationsOf,
  runExpectations,
  TEMPLATE,
  type TestResult,
} from '../../policy/reports/test-file.ts';
import { renderTests } from '../../render/policy/test.ts';
import { goJson } from '../../render/text/json.ts';

interface TestOptions extends StateFlags {
  init?: boolean;
  rules: string[];
  output: 'text' | 'json' | ReportFormat;
}

/** Declares `policy test`. */
export function addPolicyTestCommand(command: Command, ctx: Context): void {
  command
    .argument('[files...]', 'files of expectations, or - for stdin')
    .option(
      '--init',
      "Print a test file to start from: what the rules (default: the agent's) allow and deny now",
    );
  addRulesOption(command, 'those that the test file names');
  addStateOptions(command, 'the one that the test file names')
    .addOption(
      new Option('-o, --output <format>', 'Output format')
        .choices(['text', 'json', ...REPORT_FORMATS])
        .default('text'),
    )
    .addHelpText(
      'after',
      examples(
        'cilium policy test --init --rules policies/ > tests/policies.yaml',
        'cilium policy test tests.yaml -o junit > report.xml',
        'cilium policy test tests/*.yaml --rules policies/',
      ),
    )
    .action((files: string[], options: TestOptions) => runPolicyTest(files, options, ctx));
}

/** Runs the tests of each file and prints the results of all. */
export async function runPolicyTest(
  files: readonly string[],
  options: TestOptions,
  ctx: Context,
): Promise<void> {
  if (options.init) return writeStarter(options, ctx);
  if (files.length === 0)
    throw new UsageError('Missing test file', {
      hint: 'Create one with "cilium policy test --init > tests.yaml".',
    });
  const results: TestResult[] = [];
  for (const file of files) results.push(...(await testFile(file, options, ctx)));
  if (results.some(({ passed }) => !passed)) ctx.exitCode = 1;
  const { output } = options;
  if (isReportFormat(output)) return writeReport(ctx, output, reportOfTests(results));
  const shown = results.map(({ name, position, ...rest }) => ({
    name,
    location: formatPosition(position),
    ...rest,
  }));
  await ctx.out.write(output === 'json' ? `${goJson(shown, 2)}\n` : renderTests(shown));
}

/** Loads the rules and the state that a file names, and runs its tests. */
async function testFile(file: string, options: TestOptions, ctx: Context): Promise<TestResult[]> {
  const { text } = await readInput(file, ctx, 'cannot read tests');
  const [document] = await readDocuments(file, text);
  if (!document) throw new UserError(`${file}: no tests`);
  const expectations = expectationsOf(document.value, document);
  const besideFile = (path: string) => (isAbsolute(path) || file === '-' ? path : join(dirname(file), path));
  const rules = options.rules.length > 0 ? options.rules : expectations.rules.map(besideFile);
  const given = expectations.state === undefined ? undefined : besideFile(expectations.state);
  const state = options.state ?? (isSource(expectations.state) ? expectations.state : given);
  if (rules.length === 0 && state === undefined)
    throw new UserError(`${file} names no rules`, {
      hint: 'Add "rules: [FILE]" to it, or use --rules.',
    });
  const loaded = await loadEngine(ctx, { ...options, rules, state, namespace: expectations.namespace });
  return runExpectations(expectations, loaded.engine, loaded.state);
}

/** Whether a state is asked for, instead of read from a file. */
function isSource(state: string | undefined): state is 'agent' | 'cluster' {
  return state === 'agent' || state === 'cluster';
}

/** A path as it is read from the test file that is written: relative to its folder, where that is known. */
function fromFile(path: string, { cwd, out }: Context): string {
  if (out.file === undefined || isAbsolute(path) || path === '-' || isSource(path)) return path;
  return relative(dirname(out.file), resolve(cwd, path));
}

/** A test file of what is allowed and denied now, or an example when no rules are available. */
async function writeStarter(options: TestOptions, ctx: Context): Promise<void> {
  const { rules } = options;
  const state = options.state ?? (rules.length === 0 ? usualState(ctx) : undefined);
  const loaded = await loadEngine(ctx, { ...options, state }).catch((error: unknown) => {
    if (options.state === undefined && error instanceof TransportError) return undefined;
    throw error;
  });
  const namespace = 'default';
  const tests = loaded ? starterTests(loaded.engine, new Peers(loaded.engine, loaded.state, namespace)) : [];
  if (tests.length > 0) {
    const beside = { rules: rules.map((path) => fromFile(path, ctx)), state: state && fromFile(state, ctx) };
    return ctx.out.write(starterFile(tests, { ...beside, namespace }));
  }
  await ctx.err.write(
    `Note: ${loaded ? 'the rules name no peers and ports' : 'no agent answers and there are no --rules'}, so this is an example.\n`,
  );
  await ctx.out.write(TEMPLATE);
}
