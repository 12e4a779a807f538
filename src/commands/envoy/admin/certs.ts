import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin certs`. */
export function addEnvoyCertsCommand(command: Command, ctx: Context): void {
  command.action(() => askEnvoy(ctx, command, '/certs'));
}
