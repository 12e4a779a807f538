import { hostname } from 'node:os';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { confirmNode } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { SilentExit, UserError } from '../../errors.ts';
import { bootId } from '../../lib/alive.ts';
import type { Outcome } from '../../model/cleanup.ts';
import { describeRestore, restoreItem, restoreOrder } from '../../node/cleanup/restore.ts';
import { orderRules } from '../../node/cleanup/rules.ts';
import { readUndo } from '../../node/cleanup/undo.ts';
import { NODE_PATHS } from '../../node/state/read.ts';
import { systemRun } from '../../node/state/run.ts';
import { renderOutcome, renderRestore } from '../../render/node/cleanup.ts';

interface UndoOptions {
  dryRun?: boolean;
  force?: boolean;
}

/** Declares `cleanup undo`. */
export function addCleanupUndoCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium cleanup undo cleanup-undo.json --dry-run'));
  command
    .argument('<file>', 'undo file that the cleanup wrote')
    .option('--dry-run', 'Print the steps that would restore, and change nothing')
    .option('-f, --force', 'Do not ask, and restore a record of another node')
    .action((file: string, options: UndoOptions) => runCleanupUndo(file, options, ctx));
}

/** Restores what is missing, in the reverse order of removal, and says what cannot come back. */
export async function runCleanupUndo(file: string, options: UndoOptions, ctx: Context): Promise<void> {
  const paths = { ...NODE_PATHS, bpfRoot: ctx.globals.bpfRoot };
  const path = resolve(ctx.cwd, file);
  const undo = await readUndo(path, { paths, uid: ctx.uid });
  if (!undo) return ctx.out.write(`${file} is empty: that cleanup ended before it had removed anything.\n`);
  const items = restoreOrder(undo.items);
  const shown = items.map(({ what, restore }) => ({ what, steps: restore.flatMap(describeRestore) }));
  await ctx.out.write(renderRestore(undo, shown));
  if (undo.boot && undo.boot !== bootId())
    await ctx.err.write(
      'Note: the machine was started anew since. What stands by now is left, whoever has made it.\n',
    );
  if (options.dryRun) return;
  if (undo.node !== hostname() && !options.force)
    throw new UserError(`${file} was recorded on node ${undo.node}, and this is ${hostname()}`, {
      hint: 'Restore it there, or use --force if the node was renamed.',
    });
  if (!options.force && !(await confirmNode(ctx, undo.node, 'restored')))
    throw new UserError('nothing was restored: not confirmed');
  const run = systemRun(ctx.env);
  const outcomes: Outcome[] = [];
  for (const item of items) {
    // It can be run again, which goes on.
    ctx.signal.throwIfAborted();
    const outcome = await restoreItem(item, path, run);
    outcomes.push(outcome);
    await ctx.out.write(renderOutcome(outcome, 'restored'));
  }
  await orderRules(
    items.flatMap(({ restore }) => restore),
    run,
  );
  if (undo.lost.length > 0)
    await ctx.err.write(
      `${undo.lost.length} things cannot be brought back (programs, maps, links of pods): a new agent makes them.\n`,
    );
  if (outcomes.some(({ result }) => result === 'failed')) throw new SilentExit(1);
}
