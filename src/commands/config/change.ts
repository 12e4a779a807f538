import { type Command, Option } from 'commander';
import { durationOption } from '../../cli/flags.ts';
import { helmValueFor, loadFacts } from '../../cluster/config/facts.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { type KubeClient, KubeRefusal, KubeUnreachable } from '../../kube/client.ts';
import type { StoredConfig } from '../../kube/config-map.ts';
import { ownersOf } from '../../kube/release.ts';
import { findWorkloads, readRollout, restart, stuckPods, type Workload } from '../../kube/rollout.ts';
import { shellWord } from '../../lib/shell-word.ts';
import { goDuration } from '../../render/text/duration.ts';
import { wordsOf } from './stored.ts';

/** Flags of the verbs that change the configuration. */
export interface ChangeFlags {
  restart: 'none' | 'rolling' | 'true' | 'false';
  waitDuration: number;
  dryRun?: boolean;
  forceConflicts?: boolean;
}

const POLL_MS = 2000;

/** Adds them. */
export function addChangeFlags(command: Command): void {
  command
    .addOption(
      new Option('-r, --restart <how>', 'Restart what reads the configuration: rolling, or none')
        .choices(['none', 'rolling', 'true', 'false'])
        .default('none'),
    )
    .addOption(
      durationOption('--wait-duration <duration>', 'How long to wait for the restart').default(
        900_000,
        '15m0s',
      ),
    )
    .option('--dry-run', 'Have the API server check the change, and keep nothing')
    .option('--force-conflicts', 'Change a key that another manager has set');
}

/** Makes one change: `act` returns the value that was there. Says how it is taken back, and restarts if asked to. */
export async function change(
  ctx: Context,
  { client, stored, key, value }: { client: KubeClient; stored: StoredConfig; key: string; value?: string },
  flags: ChangeFlags,
  act: () => Promise<string | undefined>,
): Promise<void> {
  const what = value === undefined ? 'Unable to delete config' : 'Unable to set config';
  const isRestarted = !flags.dryRun && (flags.restart === 'rolling' || flags.restart === 'true');
  // What cannot be restarted is told before anything is changed.
  const workloads = isRestarted ? await workloadsOf(client, stored.namespace) : [];
  const old = await act().catch((error: unknown) => {
    throw explained(error, what);
  });
  if (flags.dryRun)
    return ctx.err.write('Nothing was changed: the API server checked it only (--dry-run).\n');
  await ctx.err.write(undoHint(key, value, old));
  await ctx.err.write(await ownerHint(stored, key, value));
  if (!isRestarted) return ctx.out.write('⚠️  Restart Cilium pods for configmap changes to take effect\n');
  await restartAll(ctx, client, workloads, flags.waitDuration);
  await ctx.out.write('♻️  Restarted Cilium pods\n');
}

/** A refusal as the reference words it: two blanks behind the colon. */
function explained(error: unknown, what: string): unknown {
  if (error instanceof KubeRefusal)
    return new UserError(`${what}:  ${wordsOf(error)}`, { hint: error.hint, cause: error });
  if (error instanceof UserError && !(error instanceof KubeUnreachable))
    return new UserError(`${what}:  ${error.message}`, { hint: error.hint, cause: error });
  return error;
}

function undoHint(key: string, value: string | undefined, old: string | undefined): string {
  if (old === value) return `${key} had this value already.\n`;
  if (old === undefined) return `${key} was not set. To undo it: cilium config delete ${shellWord(key)}\n`;
  const words = `${old.startsWith('-') ? '-- ' : ''}${shellWord(key)} ${shellWord(old)}`;
  return `${key} was ${JSON.stringify(old)}. To undo it: cilium config set ${words}\n`;
}

/** Who will set the key back, and what is to be written there. */
async function ownerHint({ object }: StoredConfig, key: string, value: string | undefined): Promise<string> {
  const owners = ownersOf(object);
  if (owners.length === 0) return '';
  const named = owners.map(({ kind, name }) => `${kind} (${name})`).join(' and ');
  const { path, isWhole } = helmValueFor(await loadFacts(), key);
  const written =
    value === undefined
      ? `leave out ${path}`
      : isWhole
        ? `${path}=${value}`
        : `the Helm values ${path}, which it is made of`;
  return `Warning: ${named} sets the ConfigMap back at the next upgrade or sync. Write it there too: ${written}\n`;
}

async function workloadsOf(client: KubeClient, namespace: string): Promise<Workload[]> {
  const workloads = await findWorkloads(client, namespace);
  if (workloads.length > 0) return workloads;
  throw new UserError(`there is nothing to restart in the namespace ${namespace}`, {
    hint: 'Neither a DaemonSet has the label k8s-app=cilium, nor a Deployment io.cilium/app=operator.',
  });
}

/** Restarts them in this order, and waits until all pods are new and ready. */
async function restartAll(
  ctx: Context,
  client: KubeClient,
  workloads: readonly Workload[],
  limitMs: number,
): Promise<void> {
  for (const workload of workloads) await restart(client, workload, new Date(ctx.clock.nowMs()));
  let waited = 0;
  for (const workload of workloads) waited = await waitFor(ctx, client, workload, waited, limitMs);
}

/** Returns how long was waited in all. */
async function waitFor(
  ctx: Context,
  client: KubeClient,
  workload: Workload,
  before: number,
  limitMs: number,
): Promise<number> {
  const name = `${workload.kind} ${workload.namespace}/${workload.name}`;
  let [waited, told] = [before, ''];
  for (;;) {
    // An API server that restarts meanwhile is waited for too.
    const rollout = await readRollout(client, workload).catch((error: unknown) => {
      if (error instanceof KubeUnreachable) return { done: false, progress: error.message };
      throw error;
    });
    if (rollout.done) return waited;
    if (rollout.progress !== told) await ctx.err.write(`${name}: ${rollout.progress}\n`);
    told = rollout.progress;
    if (waited >= limitMs) {
      const pods = await stuckPods(client, workload).catch(() => []);
      throw new UserError(
        [`${name} is not rolled out after ${goDuration(limitMs * 1e6)}: ${told}`, ...pods].join('\n'),
        { hint: `The change was made. A longer --wait-duration waits longer.` },
      );
    }
    const delay = Math.min(POLL_MS, limitMs - waited);
    await ctx.clock.sleep(delay, ctx.signal);
    waited += delay;
  }
}
