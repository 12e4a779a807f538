import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin metrics`. */
export function addEnvoyMetricsCommand(command: Command, ctx: Context): void {
  command
    .option('-f, --filter <regex>', 'Only metrics whose names match', '')
    .action((options: { filter: string }) =>
      askEnvoy(
        ctx,
        command,
        `/stats/prometheus${options.filter && `?filter=${encodeURIComponent(options.filter)}`}`,
      ),
    );
}
