import type { Command } from 'commander';
import type { Context } from '../../../../context.ts';
import { askEnvoy } from '../socket.ts';

/** Declares `envoy admin logging list`. */
export function addEnvoyLoggingListCommand(command: Command, ctx: Context): void {
  command.action(() => askEnvoy(ctx, command, '/logging', 'POST'));
}
