import type { Command } from 'commander';
import { profilesPath, requiredPath } from '../../cli/config-file.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { changeProfiles, type Profiles, readProfiles } from '../../cli/profile/file.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Declares `profile delete`. */
export function addProfileDeleteCommand(command: Command, ctx: Context): void {
  writeFlags(command.argument('<name>', 'the profile'))
    .addHelpText('after', examples('cilium profile delete prod', 'cilium profile delete prod --yes'))
    .action((name: string, options: WriteOptions) => runProfileDelete(name, options, ctx));
}

/** Removes a profile from the file; of the current one, that too. */
export async function runProfileDelete(name: string, options: WriteOptions, ctx: Context): Promise<void> {
  const path = requiredPath(profilesPath(ctx));
  const requireIt = ({ byName }: Profiles) => {
    if (!Object.hasOwn(byName, name))
      throw new UserError(`there is no profile "${name}"`, { hint: 'See: cilium profile list' });
  };
  requireIt(await readProfiles(path));
  if (!(await mayWrite(ctx, `delete the profile ${sanitizeCell(name)}`, options))) return;
  let also = '';
  await changeProfiles(path, (profiles) => {
    requireIt(profiles);
    const isCurrent = profiles.current === name;
    also = isCurrent ? ' No profile is current now.' : '';
    return (document) => {
      document.deleteIn(['profiles', name]);
      if (isCurrent) document.deleteIn(['current']);
    };
  });
  await ctx.out.write(`Profile ${sanitizeCell(name)} was deleted.${also}\n`);
}
