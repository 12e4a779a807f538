import type { Command } from 'commander';
import { profilesPath, requiredPath } from '../../cli/config-file.ts';
import { examples } from '../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../cli/list.ts';
import { writeStructured } from '../../cli/output.ts';
import { profileNamed, readProfiles } from '../../cli/profile/file.ts';
import type { Context } from '../../context.ts';
import { errorMessage } from '../../errors.ts';
import { type ProfileRow, profileTable } from '../../render/profile.ts';

/** Declares `profile list`. */
export function addProfileListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium profile list', 'cilium profile list -o json'));
  listVerb(command, ctx, runProfileList, 'The file of profiles');
}

/** Lists profiles in the order of the file; what is wrong with one is told in its row. */
export async function runProfileList(flags: ListFlags, ctx: Context): Promise<void> {
  const profiles = await readProfiles(requiredPath(profilesPath(ctx)));
  const chosen = ctx.env.CILIUM_PROFILE || profiles.current;
  const rows = Object.keys(profiles.byName).map((name): ProfileRow => {
    const row = { name, current: name === chosen };
    try {
      const { settings } = profileNamed(name, profiles);
      const text = (key: string) => (settings[key] === undefined ? '' : String(settings[key]));
      return {
        ...row,
        agent: text('host') || (settings.node === undefined ? '' : `node ${text('node')}`),
        cluster: text('context') || text('kubeconfig'),
        hubble: text('server') || (settings['port-forward'] === true ? 'port-forward' : ''),
      };
    } catch (error) {
      return { ...row, agent: '', cluster: '', hubble: '', fault: errorMessage(error) };
    }
  });
  if (flags.output && !['wide', 'name'].includes(flags.output))
    return writeStructured(ctx, flags.output, rows);
  if (rows.length === 0)
    await ctx.err.write('There are no profiles. Make one: cilium profile set prod context=prod\n');
  await printTable(ctx, flags, profileTable(rows));
}
