import { type Command, Option } from 'commander';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Adds the flag and the action of a verb that Envoy answers as text or JSON; Envoy's path is the verb's name. */
export function declareListing(command: Command, ctx: Context): void {
  command
    .addOption(new Option('-o, --output <format>', 'json| text').choices(['json', 'text']).default('text'))
    .action((options: { output: string }) =>
      askEnvoy(ctx, command, `/${command.name()}?format=${options.output}`),
    );
}
