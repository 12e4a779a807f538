import { type Command, Option } from 'commander';
import { ApiError } from '../../agent/client.ts';
import type { Answer } from '../../agent/decode/answer.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { TransportError } from '../../agent/http/http.ts';
import { durationOption, examples } from '../../cli/flags.ts';
import { outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { SilentExit } from '../../errors.ts';
import { FAULT_LEVELS } from '../../model/problem.ts';
import { type AgentStatus, isUp } from '../../model/status.ts';
import type { StatusOptions } from './options.ts';

/** Declares `status`. */
export function addStatusCommand(command: Command, ctx: Context): void {
  command
    .option('--all-addresses', 'Show all allocated addresses, not just count')
    .option('--all-controllers', 'Show all controllers, not just failing')
    .option('--all-nodes', 'Show all nodes, not just localhost')
    .option('--all-redirects', 'Show all redirects')
    .option('--all-clusters', 'Show all clusters')
    .option('--all-health', 'Show all health status, not just failing')
    .option('--brief', 'Only print a one-line status message')
    .option(
      '--verbose',
      'Print everything that the --all flags print, and details of kube-proxy replacement, BPF maps and clock',
    )
    .addOption(
      durationOption('--timeout <duration>', 'How long to wait for the agent to answer').default(
        30_000,
        '30s',
      ),
    )
    .option('--require-k8s-connectivity', 'Fail when the agent cannot reach the Kubernetes API', true)
    .option('--problems', 'Print only problems, each with what to do next')
    .addOption(
      new Option(
        '--fail-on <level>',
        'Lowest level that sets the exit code: 2 for warnings, 3 for what is degraded or not known',
      ).choices(FAULT_LEVELS),
    )
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'cilium status --problems --fail-on warning',
        'cilium status --verbose',
        'cilium status -o jsonpath={.cilium.state}',
      ),
    )
    .action((options: StatusOptions) => runStatus(options, ctx));
}

/** Asks the agent how it is, and prints that. */
export async function runStatus(options: StatusOptions, ctx: Context): Promise<void> {
  const answer = await ask(options, ctx);
  if (options.problems || options.failOn) {
    const { judgeStatus } = await import('./problems.ts');
    return judgeStatus(answer, options, ctx);
  }
  if (options.output) return writeAnswer(ctx, options.output, answer);
  const status = answer.decode();
  if (status.newer) {
    const { tellNewer } = await import('../../cli/release.ts');
    await tellNewer(status.newer, ctx);
  }
  if (!isUp(status)) ctx.exitCode = 1;
  if (options.brief) {
    const { renderBriefStatus } = await import('../../render/agent/status/sections.ts');
    return ctx.out.write(renderBriefStatus(status));
  }
  // Without this text a status for scripts starts faster.
  const { fetchHealthDetails, printStatus } = await import('./text.ts');
  await printStatus(
    status,
    isUp(status) ? await fetchHealthDetails(status, options.timeout, ctx) : undefined,
    options,
    ctx,
  );
}

async function ask(options: StatusOptions, ctx: Context): Promise<Answer<AgentStatus>> {
  try {
    return await readStatus(await ctx.agent(), {
      brief: options.brief === true,
      requireK8sConnectivity: options.requireK8sConnectivity,
      timeoutMs: options.timeout,
    });
  } catch (error) {
    const mute = error instanceof TransportError || error instanceof ApiError;
    if (!options.brief || !mute) throw error;
    await ctx.err.write('cilium: daemon unreachable\n');
    throw new SilentExit(1);
  }
}
