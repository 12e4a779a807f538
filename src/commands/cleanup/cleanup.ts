import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Command } from 'commander';
import { confirmNode } from '../../cli/confirm.ts';
import { examples, stringSlice } from '../../cli/flags.ts';
import { outputOption } from '../../cli/output.ts';
import { reserveUndo, undoFolder } from '../../cli/undo.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UserError } from '../../errors.ts';
import { type Item, KINDS, type Kind, type Outcome, type Plan } from '../../model/cleanup.ts';
import { applyActions } from '../../node/cleanup/apply.ts';
import { planCleanup } from '../../node/cleanup/plan.ts';
import { refuseInside, writeUndo } from '../../node/cleanup/undo.ts';
import { NODE_PATHS, readNode } from '../../node/state/read.ts';
import { type Run, systemRun } from '../../node/state/run.ts';
import { renderOutcome, renderPlan, renderSummary } from '../../render/node/cleanup.ts';
import { renderOutput } from '../../render/text/output.ts';
import { refuseWhileAgentRuns } from './running.ts';

interface CleanupOptions {
  allState?: boolean;
  bpfState?: boolean;
  force?: boolean;
  dryRun?: boolean;
  kind: string[];
  undoFile?: string;
  evenIfAgentRuns?: boolean;
  output: string;
}

/** What `--bpf-state` limits the cleanup to. */
const BPF_KINDS: readonly Kind[] = ['tc-filter', 'xdp', 'pin', 'bpf-link', 'cgroup-program'];

/** Declares `cleanup`, which the reference calls `post-uninstall-cleanup`. */
export function addCleanupCommand(command: Command, ctx: Context): void {
  command
    .option('--all-state', 'Remove all state (the default)')
    .option('--bpf-state', 'Remove only BPF programs, links and maps')
    .option('-f, --force', 'Do not ask for confirmation')
    .option('--dry-run', 'Print the plan, and change nothing')
    .addOption(stringSlice('--kind <kinds>', `Only these kinds: ${KINDS.join(', ')}`))
    .option(
      '--undo-file <path>',
      'File to record what was removed in (default /var/lib/cilium-toolkit/cleanup-TIME.json)',
    )
    .option('--even-if-agent-runs', 'Continue although an agent is running')
    .addOption(outputOption())
    .addHelpText(
      'after',
      examples(
        'cilium cleanup --dry-run',
        'cilium cleanup --dry-run -o json > plan.json',
        'cilium cleanup --kind iptables,rule,route',
        'cilium cleanup undo /var/lib/cilium-toolkit/cleanup-2026-01-31T120000Z.json',
      ),
    )
    .action((options: CleanupOptions) => runCleanup(options, ctx));
}

/** Reads the node, plans, asks, records, removes, and verifies the result. */
export async function runCleanup(options: CleanupOptions, ctx: Context): Promise<void> {
  const kinds = selectedKinds(options, ctx);
  if (!options.dryRun && !options.evenIfAgentRuns) await refuseWhileAgentRuns(ctx);
  const run = systemRun(ctx.env);
  const paths = { ...NODE_PATHS, bpfRoot: ctx.globals.bpfRoot };
  const look = async () => select(planCleanup(await readNode(run, paths), paths), kinds);
  let plan = await look();
  if (options.dryRun && options.output) return ctx.out.write(await renderOutput(plan, options.output));
  if (!options.output) await ctx.out.write(renderPlan(plan));
  if (options.dryRun) return;
  if (plan.items.length === 0) return options.output ? writeResult(plan, {}, options, ctx) : undefined;
  if (!options.force && !(await confirmNode(ctx, plan.node)))
    throw new UserError('nothing was removed: not confirmed');
  if (!options.force) plan = stillAsShown(plan, await look());
  const undoFile = plan.items.length > 0 ? await record(plan, options, ctx) : undefined;
  const outcomes = await removeAll(plan, run, !options.output, ctx);
  const left = (await look()).items;
  if (options.output)
    await writeResult(plan, { ...(undoFile && { undoFile }), outcomes, left }, options, ctx);
  else await ctx.out.write(renderSummary(outcomes, left));
  if (left.length > 0 || outcomes.some(({ result }) => result === 'failed')) throw new SilentExit(1);
}

/** Records what will be removed, and returns the path of the record. */
async function record(plan: Plan, { undoFile }: CleanupOptions, ctx: Context): Promise<string> {
  const named = undoFile || join(undoFolder(ctx), 'cleanup.json');
  await refuseInside(resolve(ctx.cwd, named), plan);
  const path = await reserveUndo(ctx, 'cleanup', undoFile);
  const undo = await writeUndo(plan, path, ctx.clock.nowMs());
  await ctx.err.write(
    `Recorded for "cilium cleanup undo": ${path} (${undo.items.length} of ${plan.items.length} can be brought back)\n`,
  );
  return path;
}

/** `-o`: what became of each item, and what is still there. */
async function writeResult(
  { node, leftAlone }: Plan,
  { undoFile, outcomes = [], left = [] }: { undoFile?: string; outcomes?: Outcome[]; left?: Item[] },
  { output }: CleanupOptions,
  ctx: Context,
): Promise<void> {
  const result = { node, ...(undoFile && { undoFile }), outcomes, left: left.map(({ id }) => id), leftAlone };
  await ctx.out.write(await renderOutput(result, output));
}

/** Removes item by item. After a signal no further one is begun. */
async function removeAll(plan: Plan, run: Run, tells: boolean, ctx: Context): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const item of plan.items) {
    if (ctx.signal.aborted) {
      const left = plan.items.length - outcomes.length;
      await ctx.err.write(`Stopped: ${left} of ${plan.items.length} items were not removed.\n`);
      throw ctx.signal.reason;
    }
    const outcome = await applyActions(item, item.remove, run);
    outcomes.push(outcome);
    if (tells) await ctx.out.write(renderOutcome(outcome, 'removed'));
  }
  return outcomes;
}

function selectedKinds(options: CleanupOptions, ctx: Context): ReadonlySet<Kind> {
  const on = (name: string) => /^(1|t|true)$/i.test(ctx.env[name] ?? '');
  const bpfOnly = options.bpfState ?? (on('CILIUM_BPF_STATE') || on('CLEAN_CILIUM_BPF_STATE'));
  const all = options.allState ?? (on('CILIUM_ALL_STATE') || on('CLEAN_CILIUM_STATE'));
  if (options.kind.length === 0) return new Set(bpfOnly && !all ? BPF_KINDS : KINDS);
  for (const kind of options.kind) {
    if (!isKind(kind))
      throw new UserError(`--kind: "${kind}" is not a kind`, { hint: `The kinds are: ${KINDS.join(', ')}.` });
  }
  return new Set(options.kind.filter(isKind));
}

/**
 * What of a plan stands as it was shown and would go by the same steps: an answer may take its time. How each is brought back is
 * that of now.
 */
function stillAsShown(shown: Plan, now: Plan): Plan {
  const before = new Map(shown.items.map((item) => [item.id, asShown(item)]));
  const items = now.items.filter((item) => isDeepStrictEqual(asShown(item), before.get(item.id)));
  return { ...now, items };
}

function asShown({ restore: _, ...item }: Item): Omit<Item, 'restore'> {
  return item;
}

function isKind(word: string): word is Kind {
  return KINDS.some((kind) => kind === word);
}

function select(plan: Plan, kinds: ReadonlySet<Kind>): Plan {
  return { ...plan, items: plan.items.filter(({ kind }) => kinds.has(kind)) };
}
