import { type Command, Option } from 'commander';
import { examples, stringSlice } from '../../cli/flags.ts';
import { writeReport } from '../../cli/report.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { Finding } from '../../model/finding.ts';
import { KNOWN_RELEASES, type Release } from '../../model/release.ts';
import { reportOfFindings } from '../../model/report.ts';
import { REPORT_FORMATS, type ReportFormat } from '../../model/report-format.ts';
import { parsePolicies } from '../../policy/read/policies.ts';
import { findingsJson, renderFindings } from '../../render/policy/findings.ts';
import { paletteFor } from '../../render/text/palette.ts';
import { sanitize } from '../../render/text/sanitize.ts';

interface ValidateCnpOptions {
  output: 'text' | 'json' | ReportFormat;
  target?: Release;
  kubeconfig?: string;
  k8sKubeconfigPath?: string;
  k8sApiServer?: string;
  k8sApiServerUrls: string[];
  context?: string;
}

/** Declares `preflight validate-cnp`. */
export function addPreflightValidateCnpCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples(
      'cilium preflight validate-cnp --target 1.19',
      'cilium preflight validate-cnp --context production -o junit',
    ),
  );
  command
    .addOption(
      new Option('--target <version>', 'Cilium release to check for (default: 1.20)').choices(KNOWN_RELEASES),
    )
    .addOption(
      new Option('-o, --output <format>', 'Output format')
        .choices(['text', 'json', ...REPORT_FORMATS])
        .default('text'),
    )
    .option('--kubeconfig <file>', 'How to reach the cluster (default: KUBECONFIG, then ~/.kube/config)')
    .option('--context <name>', 'Context of the kubeconfig')
    .option('--k8s-kubeconfig-path <file>', 'Same as --kubeconfig')
    .option(
      '--k8s-api-server <url>',
      'Address of an API server that needs no credentials, such as kubectl proxy',
    )
    .addOption(
      stringSlice(
        '--k8s-api-server-urls <urls>',
        'The same, as Cilium names it from 1.18 on: the first is asked',
      ),
    )
    .action((options: ValidateCnpOptions) => runPreflightValidateCnp(options, ctx));
}

/** Reads every policy of the cluster and checks each as `policy validate` does. Nothing is written. */
export async function runPreflightValidateCnp(options: ValidateCnpOptions, ctx: Context): Promise<void> {
  const { listPolicies } = await import('../../kube/policies.ts');
  const stored = listPolicies({
    env: ctx.env,
    signal: ctx.signal,
    timeoutMs: ctx.globals.timeoutMs,
    kubeconfig: options.kubeconfig ?? options.k8sKubeconfigPath,
    context: options.context,
    server: options.k8sApiServer ?? options.k8sApiServerUrls[0],
  });
  const text = options.output === 'text';
  const palette = paletteFor(ctx.globals.color, ctx.env, ctx.err.isTTY);
  const files: string[] = [];
  const findings: Finding[] = [];
  const invalid: string[] = [];
  let rules = 0;
  for await (const { kind, name, object } of stored) {
    const file = `${kind} ${name}`;
    files.push(file);
    // Indented as kubectl prints it, so that lines and columns can be found there.
    const source = { file, text: JSON.stringify(object, undefined, 4) };
    const policy = await parsePolicies([source], { target: options.target });
    rules += policy.rules.length;
    if (policy.findings.some(({ severity }) => severity === 'error')) invalid.push(file);
    const verdict = invalid.at(-1) === file ? 'unexpected validation error' : 'OK!';
    if (text) {
      await ctx.out.write(`Validating ${kind} '${sanitize(name)}': ${verdict}\n`);
      await ctx.err.write(renderFindings(policy.findings, palette));
    } else findings.push(...policy.findings);
  }
  if (options.output === 'json') await ctx.out.write(findingsJson({ files, rules, findings }));
  else if (options.output !== 'text')
    await writeReport(
      ctx,
      options.output,
      reportOfFindings('cilium preflight validate-cnp', files, findings),
    );
  if (invalid.length > 0)
    throw new UserError(`Found invalid policies: ${invalid.length} of ${files.length}`, {
      hint: 'Correct them before the upgrade. Lines and columns refer to the output of "kubectl get … -o json".',
    });
  if (text) await ctx.out.write('All CCNPs and CNPs valid!\n');
}
