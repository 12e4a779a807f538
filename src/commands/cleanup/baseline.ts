import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { SilentExit, systemReason, UserError } from '../../errors.ts';
import { writeAtomically } from '../../lib/atomic-file.ts';
import { isRecord } from '../../lib/record.ts';
import { compareInventories, inventory } from '../../node/state/inventory.ts';
import { NODE_PATHS, readNode } from '../../node/state/read.ts';
import { systemRun } from '../../node/state/run.ts';
import { sanitize } from '../../render/text/sanitize.ts';

interface Baseline {
  version: 1;
  node: string;
  at: string;
  lines: string[];
}

/** Declares `cleanup baseline`. */
export function addCleanupBaselineCommand(command: Command, ctx: Context): void {
  command.argument('<file>', 'where to keep the snapshot').action(async (file: string) => {
    const { node, lines } = await look(ctx);
    const baseline: Baseline = { version: 1, node, at: new Date(ctx.clock.nowMs()).toISOString(), lines };
    await writeAtomically(file, `${JSON.stringify(baseline, undefined, 1)}\n`);
    await ctx.out.write(`Kept ${lines.length} facts about ${node} in ${file}\n`);
  });
}

/** Declares `cleanup diff`. */
export function addCleanupDiffCommand(command: Command, ctx: Context): void {
  command
    .description('Show what this node has that its baseline had not; exit code 1 when there is any')
    .argument('<file>', 'the snapshot of "cleanup baseline"')
    .action(async (file: string) => {
      const before = await readBaseline(file);
      const { added, missing } = compareInventories(before.lines, (await look(ctx)).lines);
      const lines = [...added.map((line) => `+ ${line}`), ...missing.map((line) => `- ${line}`)];
      await ctx.out.write(
        lines.length > 0
          ? `${sanitize(lines.join('\n'))}\n`
          : `${before.node} is as it was on ${before.at}\n`,
      );
      if (added.length > 0) throw new SilentExit(1);
    });
}

async function look(ctx: Context): Promise<{ node: string; lines: string[] }> {
  const state = await readNode(systemRun(ctx.env), { ...NODE_PATHS, bpfRoot: ctx.globals.bpfRoot });
  return { node: state.nodeName, lines: inventory(state) };
}

async function readBaseline(file: string): Promise<Baseline> {
  let value: unknown;
  try {
    value = JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new UserError(`read baseline ${file}: ${systemReason(cause)}`, { cause });
  }
  if (isBaseline(value)) return value;
  throw new UserError(`${file} is not a snapshot of "cilium cleanup baseline"`);
}

function isBaseline(value: unknown): value is Baseline {
  if (!isRecord(value)) return false;
  const { version, node, at, lines } = value;
  const texts = Array.isArray(lines) && lines.every((line) => typeof line === 'string');
  return version === 1 && typeof node === 'string' && typeof at === 'string' && texts;
}
