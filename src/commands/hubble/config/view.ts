import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import { readSettings } from '../../../cli/hubble/settings.ts';
import type { Context } from '../../../context.ts';
import { goYaml } from '../../../render/text/yaml.ts';

/** Declares `hubble config view`. */
export function addHubbleConfigViewCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('hubble config view'));
  command.action(async () => ctx.out.write(goYaml((await readSettings(command, ctx)).all)));
}
