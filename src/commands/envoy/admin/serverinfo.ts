import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin serverinfo`. */
export function addEnvoyServerInfoCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium envoy admin serverinfo'));
  command.action(() => askEnvoy(ctx, command, '/server_info'));
}
