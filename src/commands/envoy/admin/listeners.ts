import type { Command } from 'commander';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { declareListing } from './listing.ts';

/** Declares `envoy admin listeners`. */
export function addEnvoyListenersCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium envoy admin listeners', 'cilium envoy admin listeners -o json'),
  );
  declareListing(command, ctx);
}
