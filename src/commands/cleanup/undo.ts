import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { SilentExit } from '../../errors.ts';
import type { Outcome } from '../../model/cleanup.ts';
import { applyActions } from '../../node/cleanup/apply.ts';
import { readUndo } from '../../node/cleanup/undo.ts';
import { systemRun } from '../../node/state/run.ts';
import { renderOutcome, renderRestores } from '../../render/node/cleanup.ts';

/** Declares `cleanup undo`. */
export function addCleanupUndoCommand(command: Command, ctx: Context): void {
  command
    .argument('<file>', 'undo file that the cleanup wrote')
    .option('--dry-run', 'Print what would be restored, and change nothing')
    .action((file: string, options: { dryRun?: boolean }) => runCleanupUndo(file, options, ctx));
}

/** Restores in the reverse order of removal, and says what cannot come back. */
export async function runCleanupUndo(
  file: string,
  options: { dryRun?: boolean },
  ctx: Context,
): Promise<void> {
  const undo = await readUndo(file);
  if (options.dryRun) return ctx.out.write(renderRestores(undo.items.toReversed()));
  const run = systemRun(ctx.env);
  const outcomes: Outcome[] = [];
  for (const item of undo.items.toReversed()) {
    const outcome = await applyActions(item, item.restore, run);
    outcomes.push(outcome);
    await ctx.out.write(renderOutcome(outcome, 'restored'));
  }
  if (undo.lost.length > 0)
    await ctx.err.write(
      `${undo.lost.length} things cannot be brought back (programs, maps, links of pods): a new agent makes them.\n`,
    );
  if (outcomes.some(({ result }) => result === 'failed')) throw new SilentExit(1);
}
