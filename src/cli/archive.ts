import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { Context } from '../context.ts';
import { UserError } from '../errors.ts';
import type { Resolved } from './tree.ts';

/** Opens the archive that is to be read instead of a cluster. A command reads one. */
export async function openArchive(path: string, ctx: Context): Promise<void> {
  if (path === '') throw new UserError('--from needs the name of an archive');
  if (ctx.globals.archive) return;
  const { Recording } = await import('../archive/recording.ts');
  ctx.globals.archive = await Recording.open(resolve(ctx.cwd, path), path);
}

/** Flags of verbs that go on until something happens. */
const WAITING = ['watch', 'follow', 'wait'] as const;

/** Ends a verb that an archive cannot answer: one that changes something, or is about what comes. */
export function refuseOfArchive({ path }: Resolved, command: Command, ctx: Context): void {
  const { archive } = ctx.globals;
  if (!archive) return;
  const called = path.map(({ name }) => name).join(' ');
  const verb = path.at(-1)?.verb;
  const { changes } = verb ?? {};
  if (typeof changes === 'function' ? changes(command) : changes)
    throw new UserError(
      `${called} changes what it is about, and ${archive.label} is an archive: it is only read`,
      {
        hint: 'Without --from it is done to the cluster, or the agent of this machine.',
      },
    );
  if (verb?.lives)
    throw new UserError(
      `${called} is about what is there now, and ${archive.label} is an archive of what was`,
    );
  const flag = WAITING.find(
    (name) => command.getOptionValueSource(name) === 'cli' && command.getOptionValue(name) !== false,
  );
  if (verb?.streams || flag !== undefined)
    throw new UserError(
      `${flag === undefined ? called : `--${flag}`} is about what happens next, and ${archive.label} is an archive: nothing comes any more`,
    );
}

/** Says what a reader should know of the archive that was read, and lets go of it. */
export async function closeArchive(ctx: Context): Promise<void> {
  const { archive } = ctx.globals;
  if (!archive) return;
  for (const note of archive.takeNotes()) await ctx.err.write(`Note: ${note}\n`);
  await archive.close();
}
