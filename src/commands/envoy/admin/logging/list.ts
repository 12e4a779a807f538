import type { Command } from 'commander';
import { examples } from '../../../../cli/flags.ts';
import type { Context } from '../../../../context.ts';
import { askEnvoy } from '../socket.ts';

/** Declares `envoy admin logging list`. */
export function addEnvoyLoggingListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium envoy admin logging list'));
  command.action(() => askEnvoy(ctx, command, '/logging', 'POST'));
}
