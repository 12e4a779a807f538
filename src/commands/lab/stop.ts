import type { Command } from 'commander';
import { examples } from '../../cli/flags.ts';
import type { Context } from '../../context.ts';
import { errorCode, UserError } from '../../errors.ts';
import { type LabInfo, releaseFolder } from '../../lab/folder.ts';
import { unmountDead } from '../../lab/pins/bpffs.ts';
import { isAlive } from '../../lib/alive.ts';
import { addWhichOptions, findLab, knownLabs, type WhichFlags } from './flags.ts';

/** How long a lab may take to end by itself. */
const PATIENCE_MS = 20_000;

/** Declares `lab stop`. */
export function addLabStopCommand(command: Command, ctx: Context): void {
  command

    .addHelpText('after', examples('cilium lab stop', 'cilium lab stop --all'))
    .option('--all', 'Stop every lab of this user')
    .action((flags: WhichFlags & { all?: boolean }) => runLabStop(flags, ctx));
  addWhichOptions(command);
}

/** Asks a lab to end and waits until it has; says so when none was running. */
export async function runLabStop(flags: WhichFlags & { all?: boolean }, ctx: Context): Promise<void> {
  const labs = flags.all ? knownLabs(ctx) : [findLab(flags, ctx)].filter((lab) => lab !== undefined);
  if (labs.length === 0) await ctx.err.write('No lab is running.\n');
  unmountDead();
  for (const lab of labs) {
    await stop(lab);
    if (!ctx.globals.quiet) await ctx.err.write(`Lab ${lab.name} has stopped.\n`);
  }
}

async function stop(lab: LabInfo): Promise<void> {
  signal(lab, 'SIGTERM');
  if (await ends(lab)) return;
  signal(lab, 'SIGKILL');
  if (!(await ends(lab))) throw new UserError(`lab ${lab.name} (process ${lab.pid}) does not end`);
  releaseFolder(lab);
}

function signal(lab: LabInfo, name: NodeJS.Signals): void {
  try {
    process.kill(lab.pid, name);
  } catch (cause) {
    if (errorCode(cause) === 'ESRCH') return;
    throw new UserError(`cannot stop lab ${lab.name} (process ${lab.pid}): ${errorCode(cause)}`, { cause });
  }
}

async function ends(lab: LabInfo): Promise<boolean> {
  const until = performance.now() + PATIENCE_MS;
  while (isAlive(lab)) {
    if (performance.now() > until) return false;
    await new Promise((wait) => setTimeout(wait, 20));
  }
  return true;
}
