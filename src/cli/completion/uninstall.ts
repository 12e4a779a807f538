import { rm } from 'node:fs/promises';
import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { examples } from '../flags.ts';
import { completionPlace, findShell, hasLine, planUninstall, removeLine } from './place.ts';
import { SHELLS, shellOf } from './scripts.ts';

interface UninstallOptions {
  dryRun?: boolean;
  force?: boolean;
}

/** Declares `completion uninstall`. */
export function addCompletionUninstallCommand(command: Command, ctx: Context): void {
  command
    .usage(`[${SHELLS.join('|')}]`)
    .argument('[shell]', 'the shell (default: the one that this is run from)')
    .option('--dry-run', 'Print what would be done, and change nothing')
    .option('--force', 'Remove files that something else wrote')
    .addHelpText(
      'after',
      examples('cilium completion uninstall', 'cilium completion uninstall fish --dry-run'),
    )
    .action((shell: string | undefined, options: UninstallOptions) =>
      runCompletionUninstall(shell, options, ctx),
    );
}

/** Removes what `completion install` wrote, its line in an rc file included. */
export async function runCompletionUninstall(
  name: string | undefined,
  options: UninstallOptions,
  ctx: Context,
): Promise<void> {
  const shell = name === undefined ? findShell(ctx) : shellOf(name);
  const say = (line: string) => ctx.out.write(`${sanitizeCell(line)}\n`);
  const place = await completionPlace(shell, ctx);
  const files = planUninstall(place, options.force === true);
  for (const file of files) {
    if (!options.dryRun)
      await rm(file).catch((cause: unknown) => {
        throw new UserError(`remove ${file}: ${systemReason(cause)}`, { cause });
      });
    await say(`${options.dryRun ? 'Would remove' : 'Removed'} ${file}`);
  }
  const { rcFile } = place;
  const edits = rcFile !== undefined && hasLine({ file: rcFile });
  if (edits) {
    if (!options.dryRun) await removeLine(rcFile);
    await say(`${options.dryRun ? 'Would remove' : 'Removed'} the line in ${rcFile}`);
  }
  if (files.length === 0 && !edits) await say(`There is no completion of ${shell} that this program wrote.`);
}
