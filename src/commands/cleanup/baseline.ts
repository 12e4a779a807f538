import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { inventory } from '../../node/state/inventory.ts';
import { NODE_PATHS, readNode } from '../../node/state/read.ts';
import { systemRun } from '../../node/state/run.ts';

/** The file that `cleanup baseline` writes. */
export interface Baseline {
  version: 1;
  node: string;
  at: string;
  lines: string[];
}

/** Declares `cleanup baseline`. */
export function addCleanupBaselineCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium cleanup baseline before.json'));
  command.argument('<file>', 'file to write the baseline to').action(async (file: string) => {
    const { node, lines } = await lookAround(ctx);
    const baseline: Baseline = { version: 1, node, at: new Date(ctx.clock.nowMs()).toISOString(), lines };
    await writeAtomically(resolve(ctx.cwd, file), `${JSON.stringify(baseline, undefined, 1)}\n`);
    await ctx.out.write(`Kept ${lines.length} facts about ${node} in ${file}\n`);
  });
}

/** What this node has now. */
export async function lookAround(ctx: Context): Promise<{ node: string; lines: string[] }> {
  const state = await readNode(systemRun(ctx.env), { ...NODE_PATHS, bpfRoot: ctx.globals.bpfRoot });
  return { node: state.nodeName, lines: inventory(state) };
}
