import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { VERSION } from '../version.ts';

/** Declares `version`. */
export function addVersionCommand(parent: Command, ctx: Context): Command {
  return parent
    .command('version')
    .description('Print version information')
    .action(async () => ctx.out.write(`Client: ${VERSION}\n`));
}
