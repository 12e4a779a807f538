import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { declareListing } from './listing.ts';

/** Declares `envoy admin clusters`. */
export function addEnvoyClustersCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium envoy admin clusters', 'cilium envoy admin clusters -o json'),
  );
  declareListing(command, ctx);
}
