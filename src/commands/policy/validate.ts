import { type Command, Option } from 'commander';
import { parsePolicy, readPolicy } from '../../agent/decode/policy.ts';
import { examples, requiredArgument } from '../../cli/flags.ts';
import { isClusterMeant } from '../../cli/kube/target.ts';
import {
  addPolicyFileOptions,
  type LoadedPolicies,
  loadPolicies,
  type PolicyFileFlags,
  parseOptionsOf,
  throwErrors,
  unreadable,
  writeWarnings,
} from '../../cli/policy/load.ts';
import { withProgress } from '../../cli/progress.ts';
import { releaseOfAgent } from '../../cli/release.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UserError } from '../../errors.ts';
import { reportOfFindings } from '../../model/report.ts';
import { REPORT_FORMATS, type ReportFormat } from '../../model/report-format.ts';
import { canonicalRules } from '../../policy/language/canonical.ts';
import { isEntryList } from '../../policy/read/agent-entries.ts';
import { type ParseOptions, parsePolicies } from '../../policy/read/policies.ts';
import { findingsJson, renderFindings } from '../../render/policy/findings.ts';
import { goJson } from '../../render/text/json.ts';
import { paletteFor } from '../../render/text/palette.ts';

interface ValidateOptions extends PolicyFileFlags {
  output: 'text' | 'json' | ReportFormat;
  print?: boolean;
  verbose: boolean;
  live?: boolean;
  cluster?: boolean;
  agent?: boolean;
}

/** Declares `policy validate`. */
export function addPolicyValidateCommand(command: Command, ctx: Context): void {
  command
    .argument(
      '[paths...]',
      'files, folders, or - for stdin: JSON rules, or Kubernetes objects in YAML or JSON',
    )
    .option('--print', 'Print policy after validation')
    .addOption(new Option('-v, --verbose', 'Report paths whose policies are all valid').default(true))
    .addOption(
      new Option('-o, --output <format>', 'Output format')
        .choices(['text', 'json', ...REPORT_FORMATS])
        .default('text'),
    )
    .option('--live', "Check the agent's rules, or the policies that the cluster holds")
    .addOption(new Option('--cluster', 'With --live: the policies of the cluster'))
    .addOption(new Option('--agent', 'With --live: the rules of the agent of this machine'));
  addPolicyFileOptions(command);
  command.addHelpText(
    'after',
    examples(
      'cilium policy validate policies/',
      'cilium policy validate policy.yaml -o sarif > report.sarif',
      'cilium policy validate --live',
      'cilium policy validate --live --cluster',
    ),
  );
  command.action((paths: string[], options: ValidateOptions) =>
    runPolicyValidate(paths, options, command, ctx),
  );
}

/** Checks policies; nothing is sent anywhere. */
export async function runPolicyValidate(
  paths: string[],
  options: ValidateOptions,
  command: Command,
  ctx: Context,
): Promise<void> {
  if (options.live && paths.length > 0)
    throw new UserError('--live checks what is in force and does not accept files', {
      hint: 'Check the files in a separate run.',
    });
  if (!options.live) requiredArgument(command, paths[0], 'path');
  const ofCluster = options.live === true && (await isClusterMeant(options, ctx));
  if (options.cluster && !options.live)
    throw new UserError('--cluster needs --live: files are checked without it');
  const sources = options.live ? [ofCluster ? 'the cluster' : 'the agent'] : paths;
  const checked: { path: string; policies: LoadedPolicies }[] = [];
  let documents = 0;
  const load = (path: string, told: Context, breathe: () => Promise<void> | undefined) => {
    const onDocument = () => {
      documents++;
      return breathe();
    };
    if (!options.live) return loadFiles(path, { ...parseOptionsOf(options), onDocument }, told);
    return ofCluster ? loadStored(options, told) : loadLive(options, told);
  };
  const far = () => `${documents} documents checked`;
  await withProgress(ctx, far, async (told, breathe) => {
    for (const path of sources) checked.push({ path, policies: await load(path, told, breathe) });
  });
  if (options.output !== 'text') return report(checked, options.output, ctx);
  let wrong = 0;
  for (const { path, policies } of checked) {
    await writeWarnings(policies, ctx);
    const valid = !policies.findings.some(({ severity }) => severity === 'error');
    // A single path gets the reference's message; of several, each gets its own.
    if (!valid && checked.length === 1) throwErrors(policies, `Validation of policy ${path} has failed: `);
    if (valid && options.verbose) await ctx.out.write(`All policy elements in ${path} are valid.\n`);
    if (valid && options.print)
      await ctx.out.write(goJson(canonicalRules(policies.rules.map(({ rule }) => rule)), 2));
    if (!valid) {
      wrong++;
      await writeErrors(path, policies, ctx);
    }
  }
  if (wrong > 0) throw new SilentExit(1);
}

async function writeErrors(path: string, { findings }: LoadedPolicies, ctx: Context): Promise<void> {
  const errors = findings.filter(({ severity }) => severity === 'error');
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.err.isTTY);
  const count = errors.length === 1 ? '1 error' : `${errors.length} errors`;
  await ctx.err.write(
    `Validation of policy ${path} has failed: ${count}\n${renderFindings(errors, palette)}`,
  );
}

async function report(
  checked: readonly { path: string; policies: LoadedPolicies }[],
  format: 'json' | ReportFormat,
  ctx: Context,
): Promise<void> {
  const findings = checked.flatMap(({ policies }) => policies.findings);
  const files = checked.flatMap(({ policies }) => policies.files);
  const rules = checked.reduce((sum, { policies }) => sum + policies.rules.length, 0);
  if (format === 'json') await ctx.out.write(findingsJson({ files, rules, findings }));
  else await writeReport(ctx, format, reportOfFindings('cilium policy validate', files, findings));
  if (findings.some(({ severity }) => severity === 'error')) ctx.exitCode = 1;
}

/** What a path holds. One that cannot be read is a finding of its own, so that the others are checked too. */
async function loadFiles(path: string, options: ParseOptions, ctx: Context): Promise<LoadedPolicies> {
  const what = `Validation of policy ${path} has failed`;
  try {
    return await loadPolicies([path], { ...options, apart: true }, ctx, what);
  } catch (error) {
    if (!(error instanceof UserError) || ctx.signal.aborted) throw error;
    return { rules: [], objects: [], findings: [unreadable(path, error, what)], files: [path] };
  }
}

/** The policies that the API server holds, for the release of its agents. */
async function loadStored(options: ValidateOptions, ctx: Context): Promise<LoadedPolicies> {
  const [{ openCluster }, { findPolicies }, { ciliumNamespace }, { installedRelease }] = await Promise.all([
    import('../../kube/road.ts'),
    import('../../kube/remove.ts'),
    import('../../kube/install.ts'),
    import('../../kube/release.ts'),
  ]);
  await using client = await openCluster(ctx);
  const namespace = await ciliumNamespace(client, ctx.globals.cluster?.namespace);
  const target = options.target ?? (await installedRelease(client, namespace));
  const files = (await findPolicies(client, undefined)).map(({ name, object }) => ({
    file: name,
    text: JSON.stringify(object),
  }));
  if (files.length === 0) await ctx.err.write('The cluster holds no policies.\n');
  const parsed = await parsePolicies(files, { ...parseOptionsOf(options), target });
  return { ...parsed, files: files.map(({ file }) => file) };
}

async function loadLive(options: ValidateOptions, ctx: Context): Promise<LoadedPolicies> {
  const agent = await ctx.agent();
  const live = (await readPolicy(agent)).decode();
  if (isEntryList(parsePolicy(live)))
    throw new UserError('agents from 1.19 on do not return their rules as they were written', {
      hint: 'Check the objects instead: kubectl get cnp,ccnp -A -o yaml | cilium policy validate -',
    });
  const files = [{ file: 'agent.json', text: live.policy || '[]' }];
  const target = options.target ?? (await releaseOfAgent(ctx));
  return { ...(await parsePolicies(files, { ...parseOptionsOf(options), target })), files: ['agent.json'] };
}
