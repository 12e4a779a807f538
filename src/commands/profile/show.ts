import type { Command } from 'commander';
import { profilesPath, requiredPath } from '../../cli/config-file.ts';
import { examples } from '../../cli/flags.ts';
import { outputOption, writeStructured } from '../../cli/output.ts';
import { profileNamed, readProfiles } from '../../cli/profile/file.ts';
import { PROFILE_KEYS } from '../../cli/profile/keys.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';

/** Declares `profile show`. */
export function addProfileShowCommand(command: Command, ctx: Context): void {
  command
    .argument('[name]', 'the profile (default: the current one)')
    .addOption(outputOption())
    .addHelpText('after', examples('cilium profile show', 'cilium profile show prod -o json'))
    .action((name: string | undefined, { output }: { output: string }) => runProfileShow(name, output, ctx));
}

/** Prints the settings of a profile, but for secrets. */
export async function runProfileShow(name: string | undefined, output: string, ctx: Context): Promise<void> {
  const profiles = await readProfiles(requiredPath(profilesPath(ctx)));
  const wanted = name ?? (ctx.env.CILIUM_PROFILE || profiles.current);
  if (wanted === undefined)
    throw new UserError('no profile is chosen', {
      hint: 'Name one, or choose one: cilium profile use NAME. They are listed by: cilium profile list',
    });
  const { settings } = profileNamed(wanted, profiles);
  const shown = Object.fromEntries(
    PROFILE_KEYS.flatMap(({ name: key, secret }) =>
      settings[key] === undefined ? [] : [[key, secret ? '(not shown)' : settings[key]]],
    ),
  );
  await writeStructured(ctx, output || 'yaml', shown);
}
