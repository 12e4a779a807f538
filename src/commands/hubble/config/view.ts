import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { goYaml } from '../../../render/text/yaml.ts';
import { readSettings } from '../settings.ts';

/** Declares `hubble config view`. */
export function addHubbleConfigViewCommand(parent: Command, ctx: Context): Command {
  const command = parent.command('view').description('Display merged configuration settings');
  return command.action(async () => ctx.out.write(goYaml((await readSettings(command, ctx)).all)));
}
