import { type Command, Option } from 'commander';
import { ApiError } from '../../agent/client.ts';
import type { Answer } from '../../agent/decode/answer.ts';
import { readStatus } from '../../agent/decode/status.ts';
import { TransportError } from '../../agent/http/http.ts';
import { durationOption, examples, integer, intervalOption } from '../../cli/flags.ts';
import { isClusterMeant } from '../../cli/kube/target.ts';
import { outputOption, writeAnswer } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UserError } from '../../errors.ts';
import { FAULT_LEVELS } from '../../model/problem.ts';
import { isReportFormat, REPORT_FORMATS } from '../../model/report-format.ts';
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
    .addOption(outputOption('summary', ...REPORT_FORMATS))
    .optionsGroup('Flags for a cluster:')
    .addOption(new Option('--agent', 'Show the agent of this machine, or the one that --node names'))
    .addOption(new Option('--cluster', 'Show the whole cluster, as its API server and its agents tell'))
    .option('--wait', 'Wait until there are no errors and no warnings, or until the --rollout is done')
    .addOption(
      durationOption('--wait-duration <duration>', 'How long all of it may take').default(300_000, '5m'),
    )
    .option('--ignore-warnings', 'Wait for errors only')
    .addOption(
      integer('--worker-count <n>', 'Agents that are asked at once', { min: 1, max: 500 }).default(10),
    )
    .option('--interactive', 'Show the status again after each look of --wait, at a terminal', true)
    .option('--unmanaged', 'Name the pods that Cilium does not manage, and why')
    .option('--rollout', 'Show which template each pod of Cilium is of, and what a roll-out waits for')
    .option('--consistency', 'Compare pods, CiliumEndpoints, slices, agents, identities, nodes and taints')
    .option('-w, --watch', 'Repeat the status, or the --rollout, until Ctrl-C')
    .addOption(intervalOption())
    .option('--compat-exit', 'Exit with 0 although there are errors, as the reference does')
    .addHelpText(
      'after',
      examples(
        'cilium status --problems --fail-on warning',
        'cilium status --verbose',
        'cilium status -o jsonpath={.cilium.state}',
        'cilium status --cluster --wait --wait-duration 10m',
        'cilium status --cluster --unmanaged',
        'cilium status --cluster --rollout --watch',
        'cilium status --cluster --consistency',
        'cilium status --node worker-2 --verbose',
      ),
    )
    .action(async (options: StatusOptions) => {
      const isCluster = await isClusterMeant(options, ctx);
      refuseOthers(command, isCluster);
      if (!isCluster) return runStatus(options, ctx);
      refuseTogether(options);
      if (options.consistency) return (await import('./consistency.ts')).runConsistency(options, ctx);
      if (options.rollout) return (await import('./rollout.ts')).runRollout(options, ctx);
      const { runClusterStatus } = await import('./cluster.ts');
      await runClusterStatus(options, ctx);
    });
}

const OF_AGENT = [
  ...['allAddresses', 'allControllers', 'allNodes', 'allRedirects', 'allClusters', 'allHealth'],
  ...['brief', 'problems'],
];
const OF_CLUSTER = [
  ...['wait', 'waitDuration', 'ignoreWarnings', 'workerCount', 'unmanaged', 'compatExit'],
  ...['rollout', 'consistency', 'watch', 'interval'],
];

/** Flags of a cluster that another one leaves without effect. */
const NOT_TOGETHER: Partial<Record<keyof StatusOptions, readonly (keyof StatusOptions)[]>> = {
  consistency: ['rollout', 'wait', 'watch', 'unmanaged', 'compatExit', 'failOn', 'ignoreWarnings'],
  rollout: ['unmanaged', 'compatExit', 'failOn', 'ignoreWarnings'],
  watch: ['wait', 'unmanaged'],
};

/** The reference has none of these pairs: its usage would not help. */
function refuseTogether(options: StatusOptions): void {
  for (const [one, others] of Object.entries(NOT_TOGETHER)) {
    if (!options[one as keyof StatusOptions]) continue;
    const other = others.find((name) => options[name]);
    if (other !== undefined)
      throw new UserError(`${flagOf(one)} and ${flagOf(other)} cannot be used together`);
  }
}

function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
}

/** Throws for a flag that would be without effect: who waits for an agent would not wait at all. */
function refuseOthers(command: Command, isCluster: boolean): void {
  const given = (isCluster ? OF_AGENT : OF_CLUSTER).find(
    (name) => command.getOptionValueSource(name) === 'cli',
  );
  if (given === undefined) return;
  const flag = flagOf(given);
  throw isCluster
    ? new UserError(`${flag} is for the status of an agent, and the cluster is meant`, {
        hint: 'Name an agent with --node or --pod, or take the one of this machine with --agent.',
      })
    : new UserError(`${flag} is for the status of a cluster, and an agent is meant`, {
        hint: 'Ask for that of the cluster with --cluster.',
      });
}

/** Asks the agent how it is, and prints that. */
export async function runStatus(options: StatusOptions, ctx: Context): Promise<void> {
  const answer = await ask(options, ctx);
  if (options.problems || options.failOn || isReportFormat(options.output)) {
    const { judgeStatus } = await import('./problems.ts');
    return judgeStatus(answer, options, ctx);
  }
  if (options.output && options.output !== 'summary') return writeAnswer(ctx, options.output, answer);
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
  const [{ printStatus }, { fetchHealthDetails }] = await Promise.all([
    import('./text.ts'),
    import('../../cli/kube/agent-health.ts'),
  ]);
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
