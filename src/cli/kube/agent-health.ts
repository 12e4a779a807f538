import { fetchClusterHealth } from '../../agent/decode/health.ts';
import { fetchModuleHealth115 } from '../../agent/module-health.ts';
import { fetchModuleHealth } from '../../agent/statedb.ts';
import type { KnownHealth } from '../../cluster/find-problems.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import type { ClusterHealth, ModuleReport } from '../../model/health.ts';
import { atLeast } from '../../model/release.ts';
import type { AgentStatus } from '../../model/status.ts';

/** The controller that only runs where nodes probe each other. */
const HEALTH_CONTROLLER = 'cilium-health-ep';

/** What else `status` asks for. An answer that did not come is the error that says why. */
export interface HealthDetails {
  /** Undefined where nodes do not probe each other. */
  cluster: ClusterHealth | UserError | undefined;
  /** Undefined for agents that keep no such reports. */
  modules: ModuleReport[] | UserError | undefined;
}

/** Asks the health daemon and the table of module health, at the same time. */
export async function fetchHealthDetails(
  status: AgentStatus,
  timeoutMs: number,
  ctx: Context,
): Promise<HealthDetails> {
  const probes =
    !atLeast(status.release, '1.11') || status.controllers?.some((c) => c.name === HEALTH_CONTROLLER);
  if (!probes) return { cluster: undefined, modules: undefined };
  const [cluster, modules] = await Promise.all([
    orError(fetchClusterHealth(ctx, timeoutMs)),
    fetchModules(status, timeoutMs, ctx),
  ]);
  return { cluster, modules };
}

/** Asks how the agent's modules are; undefined for agents that keep no such reports. */
async function fetchModules(
  status: AgentStatus,
  timeoutMs: number,
  ctx: Context,
): Promise<HealthDetails['modules']> {
  if (!keepsModules(status)) return undefined;
  const { http } = await ctx.agent();
  if (!atLeast(status.release, '1.16'))
    return orError(fetchModuleHealth115(http, { timeoutMs, signal: ctx.signal }));
  return orError(fetchModuleHealth(http, { timeoutMs, signal: ctx.signal }));
}

function keepsModules({ release }: AgentStatus): boolean {
  return atLeast(release, '1.15');
}

async function orError<T>(answer: Promise<T>): Promise<T | UserError> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** What is known of an agent beside its status. */
export async function knownHealth(
  status: AgentStatus,
  timeoutMs: number,
  ctx: Context,
): Promise<KnownHealth> {
  return await knownOf(status, await fetchHealthDetails(status, timeoutMs, ctx), timeoutMs, ctx);
}

/** The text asks for the modules only where nodes probe each other, as the reference does; problems need them anyhow. */
export async function knownOf(
  status: AgentStatus,
  { cluster, modules: asked }: HealthDetails,
  timeoutMs: number,
  ctx: Context,
): Promise<KnownHealth> {
  const modules = asked ?? (await fetchModules(status, timeoutMs, ctx));
  const missing = [
    ...(cluster instanceof UserError ? [{ what: 'cluster health', why: cluster.message }] : []),
    ...(modules instanceof UserError ? [{ what: 'modules', why: modules.message }] : []),
  ];
  return {
    cluster: cluster instanceof UserError ? undefined : cluster,
    modules: modules instanceof UserError ? undefined : modules,
    missing,
  };
}
