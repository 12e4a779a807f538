import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin serverinfo`. */
export function addEnvoyServerInfoCommand(command: Command, ctx: Context): void {
  command.action(() => askEnvoy(ctx, command, '/server_info'));
}
