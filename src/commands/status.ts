import type { Command } from 'commander';
import { decodeStatus, fetchStatus } from '../agent/status.ts';
import type { Context } from '../context.ts';
import { errorMessage, SilentExit, UserError } from '../errors.ts';
import type { ModuleReport } from '../model/health.ts';
import type { AgentStatus } from '../model/status.ts';
import { durationOption, outputOption } from './flags.ts';
import { writeStructured } from './rest.ts';

interface StatusOptions {
  allAddresses?: boolean;
  allControllers?: boolean;
  allNodes?: boolean;
  allRedirects?: boolean;
  allClusters?: boolean;
  allHealth?: boolean;
  brief?: boolean;
  verbose?: boolean;
  timeout: number;
  requireK8sConnectivity: boolean;
  output: string;
}

/** Nodes listed when some are unhealthy and not all were asked for. */
const HEALTH_ROWS = 10;
/** The controller that only runs where nodes probe each other. */
const HEALTH_CONTROLLER = 'cilium-health-ep';

/** Declares `status`. */
export function addStatusCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('status')
    .description('Display status of daemon')
    .option('--all-addresses', 'Show all allocated addresses, not just count')
    .option('--all-controllers', 'Show all controllers, not just failing')
    .option('--all-nodes', 'Show all nodes, not just localhost')
    .option('--all-redirects', 'Show all redirects')
    .option('--all-clusters', 'Show all clusters')
    .option('--all-health', 'Show all health status, not just failing')
    .option('--brief', 'Only print a one-line status message')
    .option('--verbose', 'Everything of the --all flags, and kube-proxy, BPF map and clock details')
    .addOption(
      durationOption('--timeout <duration>', 'How long the agent may take to answer').default(30_000, '30s'),
    )
    .option('--require-k8s-connectivity', 'Fail when the agent cannot reach the Kubernetes API', true)
    .addOption(outputOption())
    .action((options: StatusOptions) => runStatus(options, ctx));
}

/** Asks the agent how it is, and prints that. */
export async function runStatus(options: StatusOptions, ctx: Context): Promise<void> {
  const answer = await ask(options, ctx);
  if (options.output) return writeStructured(ctx, options.output, answer, 'StatusResponse');
  const status = decodeStatus(answer);
  if (!isUp(status)) ctx.exitCode = 1;
  if (options.brief) {
    const { renderBriefStatus } = await import('../render/status/sections.ts');
    await ctx.out.write(renderBriefStatus(status));
    return;
  }
  await printStatus(status, options, ctx);
}

async function ask(options: StatusOptions, ctx: Context): Promise<unknown> {
  try {
    const answer = await fetchStatus(await ctx.agent(), {
      brief: options.brief === true,
      requireK8sConnectivity: options.requireK8sConnectivity,
      timeoutMs: options.timeout,
    });
    if (answer === undefined || answer === null)
      throw new UserError('GET /healthz: the answer is empty', {
        hint: 'Is this the socket of a Cilium agent?',
      });
    return answer;
  } catch (error) {
    if (!options.brief || !(error instanceof UserError)) throw error;
    await ctx.err.write('cilium: daemon unreachable\n');
    throw new SilentExit(1);
  }
}

/** The reference's own rule: only the state of the Cilium component decides the exit code. */
function isUp({ cilium }: AgentStatus): boolean {
  return !cilium || cilium.state === 'Ok' || cilium.state === 'Disabled';
}

async function printStatus(status: AgentStatus, options: StatusOptions, ctx: Context): Promise<void> {
  const { statusSections, STATUS_TABLE } = await import('../render/status/sections.ts');
  const { tabulate } = await import('../render/table.ts');
  const all = options.verbose === true;
  const details = {
    addresses: all || options.allAddresses === true,
    controllers: all || options.allControllers === true,
    redirects: all || options.allRedirects === true,
    clusters: all || options.allClusters === true,
    internals: all,
  };
  const health = isUp(status) ? await healthLines(status, options, ctx) : { text: '' };
  const text = statusSections(status, details, ctx.clock.nowMs()) + health.text;
  await ctx.out.write(tabulate(text, STATUS_TABLE));
  if ('failure' in health) throw health.failure;
}

interface HealthLines {
  text: string;
  /** Why the modules' part is missing. */
  failure?: Error;
}

async function healthLines(status: AgentStatus, options: StatusOptions, ctx: Context): Promise<HealthLines> {
  const { era } = status;
  const probes = era === '1.9' || status.controllers?.some((c) => c.name === HEALTH_CONTROLLER) === true;
  if (!probes) return { text: `Cluster health:\t${era === '1.17' ? '\t' : ''}Probe disabled\n` };
  const [cluster, modules] = await Promise.all([
    clusterHealth(status, options, ctx),
    era === '1.9' ? { text: '' } : moduleHealth(options, ctx),
  ]);
  return { ...modules, text: cluster + modules.text };
}

async function clusterHealth(status: AgentStatus, options: StatusOptions, ctx: Context): Promise<string> {
  const [{ fetchClusterHealth }, { clusterHealthLines }] = await Promise.all([
    import('../agent/health.ts'),
    import('../render/status/cluster-health.ts'),
  ]);
  const { era } = status;
  const all = options.verbose === true;
  const allNodes = all || (era === '1.20' ? options.allNodes : options.allHealth) === true;
  try {
    const health = await fetchClusterHealth(ctx, options.timeout);
    const unlimited = allNodes || options.allHealth === true;
    return clusterHealthLines(health, {
      era,
      allNodes,
      verbose: all,
      maxRows: unlimited ? 0 : HEALTH_ROWS,
    });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (ctx.globals.debug) await ctx.err.write(`${errorMessage(error)}\n`);
    return 'Cluster health:\t\t\tWarning\tcilium-health daemon unreachable\n';
  }
}

async function moduleHealth(options: StatusOptions, ctx: Context): Promise<HealthLines> {
  const { moduleHealthSummary, moduleHealthTree } = await import('../render/status/module-health.ts');
  const full = options.verbose === true || options.allHealth === true;
  const { fetchModuleHealth, NoTable } = await import('../agent/statedb.ts');
  let reports: ModuleReport[] = [];
  try {
    const agent = await ctx.agent();
    reports = await fetchModuleHealth(agent.http, { timeoutMs: options.timeout, signal: ctx.signal });
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    // The reference takes this answer for an empty table.
    if (error instanceof NoTable) {
      await ctx.err.write('This agent does not report the health of its modules.\n');
      return { text: `Modules Health:\t${moduleHealthSummary([])}\n\n` };
    }
    const failure = new UserError(`Failed while streaming remote health data table: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
    return { text: '', failure };
  }
  if (!full) return { text: `Modules Health:\t${moduleHealthSummary(reports)}\n\n` };
  const tree = moduleHealthTree(reports, ctx.clock.nowMs()).replaceAll('\n', '\n\t\t');
  return { text: `Modules Health:\t\t${tree}\n\t\t\n\n` };
}
