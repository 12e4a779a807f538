import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { askEnvoy } from './socket.ts';

/** Declares `envoy admin metrics`. */
export function addEnvoyMetricsCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples("cilium envoy admin metrics --filter 'cluster\\.upstream_rq.*'"));
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
