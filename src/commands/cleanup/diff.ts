import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { SilentExit, systemReason, UserError } from '../../errors.ts';
import { parsePlainJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { compareInventories } from '../../node/state/inventory.ts';
import { sanitize } from '../../render/text/sanitize.ts';
import { type Baseline, lookAround } from './baseline.ts';

/** Declares `cleanup diff`. */
export function addCleanupDiffCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium cleanup diff before.json'));
  command.argument('<file>', 'file that "cleanup baseline" wrote').action(async (file: string) => {
    const before = await readBaseline(file, ctx.cwd);
    const { added, missing } = compareInventories(before.lines, (await lookAround(ctx)).lines);
    const lines = [...added.map((line) => `+ ${line}`), ...missing.map((line) => `- ${line}`)];
    await ctx.out.write(
      lines.length > 0 ? `${sanitize(lines.join('\n'))}\n` : `${before.node} is as it was on ${before.at}\n`,
    );
    if (added.length > 0) throw new SilentExit(1);
  });
}

async function readBaseline(file: string, cwd: string): Promise<Baseline> {
  let value: unknown;
  try {
    value = parsePlainJson(await readFile(resolve(cwd, file), 'utf8'));
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
