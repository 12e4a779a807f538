import { type Command, Option } from 'commander';
import type { Context } from '../context.ts';
import { SilentExit, UserError } from '../errors.ts';
import { type Finding, runChecks, type Severity } from '../node/doctor/checks.ts';
import { type AgentFacts, readKernelFacts } from '../node/doctor/facts.ts';
import { renderOutput } from '../render/output.ts';
import { type Palette, paletteFor } from '../render/palette.ts';
import { sanitize } from '../render/sanitize.ts';
import { outputOption, requireRoot } from './flags.ts';

interface DoctorOptions {
  output: string;
  failOn: 'warning' | 'failure' | 'never';
}

/** Declares `doctor`. */
export function addDoctorCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('doctor')
    .description('Compare what the agent says with what the kernel holds')
    .addOption(
      new Option('--fail-on <severity>', 'from which finding on the exit code is 1')
        .choices(['warning', 'failure', 'never'])
        .default('failure'),
    )
    .addOption(outputOption())
    .addHelpText('after', '\nExamples:\n  cilium doctor\n  cilium doctor -o json --fail-on warning')
    .action((options: DoctorOptions) => runDoctor(options, ctx));
}

/** Asks the agent, reads the kernel, compares. An agent that does not answer is a finding, not the end. */
export async function runDoctor(options: DoctorOptions, ctx: Context): Promise<void> {
  requireRoot('cilium doctor', ctx.uid);
  const { agent, problem } = await askAgent(ctx);
  const findings = [
    ...(problem ? [problem] : []),
    ...runChecks(await readKernelFacts(ctx.globals.bpfRoot), agent),
  ];
  const text = options.output
    ? await renderOutput(findings, options.output)
    : renderFindings(findings, paletteFor(ctx.globals.color, ctx.env, ctx.out.isTTY));
  await ctx.out.write(text);
  const bad: readonly Severity[] =
    options.failOn === 'never' ? [] : options.failOn === 'failure' ? ['failure'] : ['failure', 'warning'];
  if (findings.some(({ severity }) => bad.includes(severity))) throw new SilentExit(1);
}

async function askAgent(ctx: Context): Promise<{ agent?: AgentFacts; problem?: Finding }> {
  try {
    const client = await ctx.agent();
    const endpoints = await client.get('/endpoint');
    const identities = await client.get('/identity');
    const status = await client.get('/healthz', { headers: { brief: 'false' } });
    return {
      agent: {
        endpoints: (endpoints ?? []).map(({ id = 0, status: s }) => ({
          id,
          identity: s?.identity?.id,
          addresses: (s?.networking?.addressing ?? []).flatMap(({ ipv4, ipv6 }) =>
            [ipv4 || [], ipv6 || []].flat(),
          ),
          ifindex: s?.networking?.['interface-index'],
          state: s?.state ?? '',
          name: s?.['external-identifiers']?.['pod-name'] ?? '',
        })),
        identities: new Set((identities ?? []).map(({ id = 0 }) => id)),
        socketLb: status?.['kube-proxy-replacement']?.features?.socketLB?.enabled === true,
      },
    };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const finding: Finding = {
      check: 'agent',
      severity: 'failure',
      what: 'the agent does not answer',
      evidence: [error.message],
    };
    return { problem: error.hint ? { ...finding, next: error.hint } : finding };
  }
}

/** Findings as text: what is wrong with evidence and the next step, what is fine on one line each. */
export function renderFindings(findings: readonly Finding[], palette: Palette): string {
  const paint: Record<Severity, (text: string) => string> = {
    ok: palette.good,
    warning: palette.warn,
    failure: palette.bad,
    skipped: palette.dim,
  };
  const lines = findings.flatMap(({ check, severity, what, evidence, next }) => [
    `${paint[severity](severity.padEnd(8))} ${check}: ${sanitize(what)}`,
    ...evidence.slice(0, 8).map((line) => `           ${sanitize(line)}`),
    ...(evidence.length > 8 ? [`           … and ${evidence.length - 8} more`] : []),
    ...(next && severity !== 'ok' ? [`         → ${sanitize(next)}`] : []),
  ]);
  const count = (severity: Severity) => findings.filter((finding) => finding.severity === severity).length;
  lines.push(
    '',
    `${count('failure')} failures, ${count('warning')} warnings, ${count('ok')} checks fine, ${count('skipped')} skipped`,
  );
  return `${lines.join('\n')}\n`;
}
