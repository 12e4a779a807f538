import type { Command } from 'commander';
import type { Context } from '../../../context.ts';
import { declareListing } from './listing.ts';

/** Declares `envoy admin clusters`. */
export function addEnvoyClustersCommand(command: Command, ctx: Context): void {
  declareListing(command, ctx);
}
