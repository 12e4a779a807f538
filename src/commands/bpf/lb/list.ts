import type { Command } from 'commander';
import { type Pairs, printPairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { addListOptions, type ListFlags, runList } from '../../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { atLeast } from '../../../model/release.ts';
import { backendPairs, frontendPairs, revNatPairs, servicePairs, sourceRangePairs } from './maps.ts';

interface LbListOptions extends ListFlags {
  revnat?: boolean;
  frontends?: boolean;
  backends?: boolean;
  sourceRanges?: boolean;
}

interface View {
  titles: readonly [string, string];
  read: (ctx: Context) => Promise<Pairs>;
}

const BACKENDS = 'BACKEND ADDRESS (REVNAT_ID) (SLOT)';
const VIEWS = {
  revnat: { titles: ['ID', BACKENDS], read: revNatPairs },
  frontends: { titles: ['SERVICE ADDRESS', 'BACKEND ID'], read: frontendPairs },
  backends: { titles: ['ID', BACKENDS], read: backendPairs },
  sourceRanges: { titles: ['SOURCE RANGE (REVNAT_ID)', ''], read: sourceRangePairs },
  services: { titles: ['SERVICE ADDRESS', BACKENDS], read: servicePairs },
} as const satisfies Record<string, View>;

/** Declares `bpf lb list`. */
export function addBpfLbListCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf lb list', 'cilium bpf lb list --backends', 'cilium bpf lb list --frontends -o json'),
  );
  command
    .option('--revnat', 'List reverse NAT entries')
    .option('--frontends', 'List all service frontend entries')
    .option('--backends', 'List all service backend entries')
    .option('--source-ranges', 'List all source range entries')
    .addOption(outputOption(...LIST_FORMATS))
    .action((options: LbListOptions) => runList(ctx, options, runBpfLbList, 'The kernel'));
  addListOptions(command);
}

/** Prints one of the views of the services; the first flag in the order above wins. */
export async function runBpfLbList(options: LbListOptions, ctx: Context): Promise<void> {
  const name =
    (['revnat', 'frontends', 'backends', 'sourceRanges'] as const).find((flag) => options[flag]) ??
    'services';
  const view: View = VIEWS[name];
  const [left, right] = view.titles;
  // 1.10 prints neither the slot nor its title.
  const title = right === BACKENDS && !atLeast(await mapsRelease(ctx), '1.12') ? 'BACKEND ADDRESS' : right;
  await printPairs(ctx, [left, title], await view.read(ctx), { ...options, quietWhenEmpty: true });
}
