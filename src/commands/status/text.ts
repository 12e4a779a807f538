import { NoTable } from '../../agent/statedb.ts';
import type { HealthDetails } from '../../cli/kube/agent-health.ts';
import type { Context } from '../../context.ts';
import { errorMessage, UserError } from '../../errors.ts';
import type { ModuleReport } from '../../model/health.ts';
import { atLeast } from '../../model/release.ts';
import type { AgentStatus } from '../../model/status.ts';
import { clusterHealthLines } from '../../render/agent/status/cluster-health.ts';
import {
  moduleHealthSummary,
  moduleHealthSummary115,
  moduleHealthTree,
  moduleHealthTree115,
  moduleHealthTrees,
} from '../../render/agent/status/module-health.ts';
import { STATUS_TABLE, statusSections } from '../../render/agent/status/sections.ts';
import { tabulate } from '../../render/text/table.ts';
import type { StatusOptions } from './options.ts';

/** Nodes listed when some are unhealthy and not all were asked for. */
const HEALTH_ROWS = 10;

/** Prints the sections of a status, and the health details (none when the agent is not up). */
export async function printStatus(
  status: AgentStatus,
  health: HealthDetails | undefined,
  options: StatusOptions,
  ctx: Context,
): Promise<void> {
  const all = options.verbose === true;
  const details = {
    addresses: all || options.allAddresses === true,
    controllers: all || options.allControllers === true,
    redirects: all || options.allRedirects === true,
    clusters: all || options.allClusters === true,
    internals: all,
  };
  const nowMs = ctx.clock.nowMs();
  let text = statusSections(status, details, nowMs);
  if (health) {
    text += clusterLines(status, health, options);
    if (!(health.modules instanceof UserError)) text += moduleLines(health.modules, status, options, nowMs);
    else if (health.modules instanceof NoTable) text += moduleLines([], status, {}, nowMs);
  }
  await ctx.out.write(tabulate(text, STATUS_TABLE));
  if (health) await explain(health, ctx);
}

function clusterLines(status: AgentStatus, { cluster }: HealthDetails, options: StatusOptions): string {
  const { release } = status;
  if (!cluster) return `Cluster health:\t${atLeast(release, '1.19') ? '' : '\t'}Probe disabled\n`;
  if (cluster instanceof UserError) return 'Cluster health:\t\t\tWarning\tcilium-health daemon unreachable\n';
  const verbose = options.verbose === true;
  const allNodes = verbose || (atLeast(release, '1.17') ? options.allNodes : options.allHealth) === true;
  const maxRows = allNodes || options.allHealth ? 0 : HEALTH_ROWS;
  return clusterHealthLines(cluster, { release, allNodes, verbose, maxRows });
}

function moduleLines(
  reports: readonly ModuleReport[] | undefined,
  status: AgentStatus,
  options: Pick<StatusOptions, 'verbose' | 'allHealth'>,
  nowMs: number,
): string {
  if (!reports) return '';
  if (!atLeast(status.release, '1.16')) return moduleLines115(reports, options, nowMs);
  const spaced = atLeast(status.release, '1.18');
  if (!options.verbose && !options.allHealth)
    return `Modules Health:\t${moduleHealthSummary(reports)}\n${spaced ? '\n' : ''}`;
  if (showsTallyFirst(status, reports)) {
    const tally = `Modules Health:\t${moduleHealthSummary(reports)}\n`;
    const trees = moduleHealthTrees(reports, nowMs).map((tree) => `${tree}\n`);
    return trees.length === 0 ? `${tally}\n` : `${tally}  ${trees.join('').replaceAll('\n', '\n  ')}\n\n`;
  }
  const tree = moduleHealthTree(reports, nowMs).replaceAll('\n', '\n\t\t');
  return spaced ? `Modules Health:\t\t${tree}\n\t\t\n\n` : `Modules Health:\n\t\t${tree}\n\t\t\n`;
}

function moduleLines115(
  reports: readonly ModuleReport[],
  options: Pick<StatusOptions, 'verbose' | 'allHealth'>,
  nowMs: number,
): string {
  if (!options.verbose && !options.allHealth) return `Modules Health:\t${moduleHealthSummary115(reports)}\n`;
  const known = reports.filter(({ level }) => level !== 'Unknown');
  return `Modules Health:\n${moduleHealthTree115(known, nowMs)}\n\n`;
}

/** Modules that released 1.20 has and its early snapshots, which name the same version, have not. */
const MODULES_OF_1_20 = ['identity-policy-computer', 'job-module-status-metrics'];

function showsTallyFirst(status: AgentStatus, reports: readonly ModuleReport[]): boolean {
  if (!atLeast(status.release, '1.20')) return false;
  return (
    !status.development || reports.some(({ path }) => path.some((name) => MODULES_OF_1_20.includes(name)))
  );
}

/** What is missing from the text goes to stderr; a table that broke is an error, as for the reference. */
async function explain({ cluster, modules }: HealthDetails, ctx: Context): Promise<void> {
  if (cluster instanceof UserError && ctx.globals.debug) await ctx.err.write(`${errorMessage(cluster)}\n`);
  if (!(modules instanceof UserError)) return;
  // The reference takes this answer for an empty table.
  if (modules instanceof NoTable)
    await ctx.err.write('This agent does not report the health of its modules.\n');
  else
    throw new UserError(`Failed while streaming remote health data table: ${modules.message}`, {
      hint: modules.hint,
      cause: modules,
    });
}
