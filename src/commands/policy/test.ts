import { dirname, isAbsolute, join } from 'node:path';
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
import type { Context } from '../../context.ts';
import { UsageError, UserError } from '../../errors.ts';
import { Peers } from '../../policy/evaluate/decide/peers.ts';
import { readDocuments } from '../../policy/read/documents.ts';
import { starterFile, starterTests } from '../../policy/reports/starter-test-file.ts';
import { expectationsOf, runExpectations, TEMPLATE } from '../../policy/reports/test-file.ts';
import { renderTests, renderTestsJunit } from '../../render/policy/test.ts';
import { goJson } from '../../render/text/json.ts';

interface TestOptions extends StateFlags {
  init?: boolean;
  rules: string[];
  output: 'text' | 'json' | 'junit';
}

/** Declares `policy test`. */
export function addPolicyTestCommand(command: Command, ctx: Context): void {
  command
    .argument('[file]')

    .option(
      '--init',
      "Print a test file to start from: what the rules (default: the agent's) allow and deny now",
    );
  addRulesOption(command, 'those that the test file names');
  addStateOptions(command, 'the one that the test file names')
    .addOption(
      new Option('-o, --output <format>', 'Output format').choices(['text', 'json', 'junit']).default('text'),
    )
    .addHelpText(
      'after',
      examples(
        'cilium policy test --init --rules policies/ > tests.yaml',
        'cilium policy test tests.yaml -o junit > report.xml',
      ),
    )
    .action((file: string | undefined, options: TestOptions) => runPolicyTest(file, options, ctx));
}

/** Loads rules and state, runs the tests and prints the results. */
export async function runPolicyTest(
  file: string | undefined,
  options: TestOptions,
  ctx: Context,
): Promise<void> {
  if (options.init) return writeStarter(options, ctx);
  if (file === undefined)
    throw new UsageError('Missing test file', {
      hint: 'Create one with "cilium policy test --init > tests.yaml".',
    });
  const { text } = await readInput(file, ctx, 'cannot read tests');
  const [document] = await readDocuments(file, text);
  if (!document) throw new UserError(`${file}: no tests`);
  const expectations = expectationsOf(document.value, document);
  const besideFile = (path: string) => (isAbsolute(path) || file === '-' ? path : join(dirname(file), path));
  const rules = options.rules.length > 0 ? options.rules : expectations.rules.map(besideFile);
  const given = expectations.state === undefined ? undefined : besideFile(expectations.state);
  const state = options.state ?? (expectations.state === 'agent' ? 'agent' : given);
  if (rules.length === 0 && state === undefined)
    throw new UserError(`${file} names no rules`, {
      hint: 'Add "rules: [FILE]" to it, or use --rules.',
    });
  const loaded = await loadEngine(ctx, { ...options, rules, state, namespace: expectations.namespace });
  const results = runExpectations(expectations, loaded.engine, loaded.state);
  if (results.some(({ passed }) => !passed)) ctx.exitCode = 1;
  if (options.output === 'junit') return ctx.out.write(renderTestsJunit(results, file));
  if (options.output === 'json') return ctx.out.write(`${goJson(results, 2)}\n`);
  await ctx.out.write(renderTests(results));
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
  if (tests.length > 0) return ctx.out.write(starterFile(tests, { rules, state, namespace }));
  await ctx.err.write(
    `Note: ${loaded ? 'the rules name no peers and ports' : 'no agent answers and there are no --rules'}, so this is an example.\n`,
  );
  await ctx.out.write(TEMPLATE);
}
