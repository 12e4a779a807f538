import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { parseSetting, requiredKey, writeConfig } from '../../../cli/hubble/config-file.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { KEYS } from '../../../model/hubble-key.ts';

/** Declares `hubble config reset`. */
export function addHubbleConfigResetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble config reset server', 'hubble config reset'));
  command.argument('[key...]', 'key to reset (default: all keys)');
  command.action(async (names: readonly string[]) => {
    if (names.length > 1)
      throw new UserError(
        `invalid arguments: reset requires exactly 0 or 1 argument: got '${names.join(' ')}'`,
      );
    const keys = names.length > 0 ? names.map(requiredKey) : KEYS.filter((key) => key.name !== 'config');
    const settings = await readSettings(command, ctx);
    await writeConfig(
      settings.text('config'),
      Object.fromEntries(keys.map((key) => [key.name, parseSetting(key, '')])),
    );
  });
}
