import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { parseSetting, requiredKey, writeConfig } from '../../../cli/hubble/config-file.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';

/** Declares `hubble config set`. */
export function addHubbleConfigSetCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('hubble config set server localhost:4245', 'hubble config set request-timeout 30s'),
  );
  command
    .usage('KEY [VALUE]')
    .argument('[words...]', 'key and its value; without a value, its default is set');
  command.action(async (words: readonly string[]) => {
    const [name, value = '', ...more] = words;
    if (name === undefined || more.length > 0)
      throw new UserError(
        `invalid arguments: set requires exactly 1 or 2 argument(s): got '${words.join(' ')}'`,
      );
    const key = requiredKey(name);
    const settings = await readSettings(command, ctx);
    await writeConfig(settings.text('config'), { [name]: parseSetting(key, value) });
  });
}
