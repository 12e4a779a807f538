import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { goYaml } from '../../../render/text/yaml.ts';

/** Declares `hubble config get`. */
export function addHubbleConfigGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble config get server'));
  command.argument('[key...]', 'key to print (default: all keys)');
  command.action(async (keys: readonly string[]) => {
    if (keys.length > 1)
      throw new UserError(`invalid arguments: get requires exactly 0 or 1 argument: got '${keys.join(' ')}'`);
    const { all } = await readSettings(command, ctx);
    const [key] = keys;
    if (key === undefined) return ctx.out.write(goYaml(all));
    const value = Object.hasOwn(all, key) ? all[key] : undefined;
    if (value === undefined)
      throw new UserError(`unknown key: ${key}`, {
        hint: 'Run "hubble config view" for the keys there are.',
      });
    await ctx.out.write(goYaml(value));
  });
}
