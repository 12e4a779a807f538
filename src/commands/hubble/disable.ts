import type { Command } from 'commander';
import { type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { type HelmFlags, helmFlags } from '../../cli/helm/flags.ts';
import type { Context } from '../../context.ts';
import { setHubble } from './enable.ts';

/** Declares `hubble disable`. */
export function addHubbleDisableCommand(command: Command, ctx: Context): void {
  writeFlags(helmFlags(command))
    .addHelpText('after', examples('cilium hubble disable'))
    .action((flags: HelmFlags & WriteOptions) =>
      setHubble(
        'Unable to disable Hubble',
        { relay: { enabled: false }, ui: { enabled: false } },
        flags,
        ctx,
      ),
    );
}
