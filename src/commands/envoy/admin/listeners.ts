import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { declareListing } from './listing.ts';

/** Declares `envoy admin listeners`. */
export function addEnvoyListenersCommand(command: Command, ctx: Context): void {
  declareListing(command, ctx);
}
