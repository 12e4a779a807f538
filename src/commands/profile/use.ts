import type { Command } from 'commander';
import { NO_PROFILE, profilesPath, requiredPath } from '../../cli/config-file.ts';
import { examples } from '../../cli/flags.ts';
import { changeProfiles, profileNamed } from '../../cli/profile/file.ts';
import type { Context } from '../../context.ts';
import { sanitizeCell } from '../../render/text/sanitize.ts';

/** Declares `profile use`. */
export function addProfileUseCommand(command: Command, ctx: Context): void {
  command
    .argument('<name>', 'the profile; none for no profile')
    .addHelpText('after', examples('cilium profile use prod', 'cilium profile use none'))
    .action((name: string) => runProfileUse(name, ctx));
}

/** Makes a profile the one that counts where none is named. */
export async function runProfileUse(name: string, ctx: Context): Promise<void> {
  const path = requiredPath(profilesPath(ctx));
  if (name === NO_PROFILE) {
    await changeProfiles(path, ({ current }) =>
      current === undefined ? undefined : (document) => void document.deleteIn(['current']),
    );
    await ctx.out.write('No profile is current.\n');
  } else {
    await changeProfiles(path, (profiles) => {
      profileNamed(name, profiles);
      return profiles.current === name ? undefined : (document) => document.setIn(['current'], name);
    });
    await ctx.out.write(`Profile ${sanitizeCell(name)} is current.\n`);
  }
  const { CILIUM_PROFILE: named } = ctx.env;
  if (named && named !== name)
    await ctx.err.write(`CILIUM_PROFILE is ${sanitizeCell(named)}, which counts before it.\n`);
}
