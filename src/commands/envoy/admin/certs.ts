import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin certs`. */
export function addEnvoyCertsCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium envoy admin certs'));
  command.action(() => askEnvoy(ctx, command, '/certs'));
}
