import type { Command } from 'commander';
import type { Context } from '../../context.ts';
import { systemReason, UserError } from '../../errors.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';
import { examples } from '../flags.ts';
import { readAnswer } from '../stdin.ts';
import { addLine, completionPlace, findShell, hasLine, planInstall, writeScripts } from './place.ts';
import { SHELLS, shellOf } from './scripts.ts';

interface InstallOptions {
  dryRun?: boolean;
  force?: boolean;
  rc?: boolean;
}

/** Declares `completion install`, of cilium and of hubble. */
export function addCompletionInstallCommand(command: Command, ctx: Context): void {
  command
    .usage(`[${SHELLS.join('|')}]`)
    .argument('[shell]', 'the shell (default: the one that this is run from)')
    .option('--dry-run', 'Print what would be done, and change nothing')
    .option('--rc', 'Add the line that some shells need to the rc file, without asking')
    .option('--force', 'Replace files that something else wrote')
    .addHelpText(
      'after',
      examples(
        'cilium completion install',
        'cilium completion install zsh --dry-run',
        'cilium completion install bash --rc',
      ),
    )
    .action((shell: string | undefined, options: InstallOptions) =>
      runCompletionInstall(shell, options, ctx),
    );
}

/** Writes the script to where the shell reads it. */
export async function runCompletionInstall(
  name: string | undefined,
  options: InstallOptions,
  ctx: Context,
): Promise<void> {
  const shell = name === undefined ? findShell(ctx) : shellOf(name);
  const say = (line: string) => ctx.out.write(`${sanitizeCell(line)}\n`);
  const place = await completionPlace(shell, ctx);
  const steps = planInstall(place, options.force === true);
  if (!options.dryRun) await writeScripts(shell, steps);
  for (const { file, state } of steps)
    await say(
      state === 'same' ? `${file} is unchanged` : `${options.dryRun ? 'Would write' : 'Wrote'} ${file}`,
    );
  const { line } = place;
  if (line && !hasLine(line)) {
    if (options.dryRun) {
      const asked = options.rc ? '' : ', when you agree';
      await say(`Would add this line to ${line.file}${asked}, since ${line.why}: ${line.text}`);
    } else if (await mayEdit(line, options, ctx)) {
      await addLine(line).catch((cause: unknown) => {
        throw new UserError(`write ${line.file}: ${systemReason(cause)}`, { cause });
      });
      await say(`Added to ${line.file}: ${line.text}`);
    } else {
      await say(`Add this line to ${line.file} yourself, or run again with --rc: ${line.text}`);
      return;
    }
  }
  if (!options.dryRun) await say(`A new ${shell} completes cilium and hubble.`);
}

/** An rc file is the user's: it is edited only when they say so. */
async function mayEdit(
  { file, text, why }: { file: string; text: string; why: string },
  { rc }: InstallOptions,
  ctx: Context,
): Promise<boolean> {
  if (rc) return true;
  await ctx.err.write(`${sanitizeCell(why.charAt(0).toUpperCase() + why.slice(1))}.\n`);
  if (!ctx.in.isTTY) return false;
  await ctx.err.write(`  ${sanitizeCell(text)}\nAdd this line to ${sanitizeCell(file)}? [y/N] `);
  return /^(y|yes)$/i.test((await readAnswer(ctx)) ?? '');
}
