import { type Command, Option } from 'commander';
import { listBgpPeers } from '../../agent/decode/bgp.ts';
import { failed } from '../../cli/answer.ts';
import { outputOption } from '../../cli/output.ts';
import { addWatchOptions, type ListFlags, printAnswers } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { peerTable, renderCapabilities } from '../../render/agent/bgp.ts';
import { unlessBgpIsDisabled } from './disabled.ts';

interface BgpPeersOptions extends ListFlags {
  capabilities?: boolean;
  caps?: boolean;
}

/** Declares `bgp peers`. */
export function addBgpPeersCommand(command: Command, ctx: Context): void {
  command
    .addOption(new Option('-c, --capabilities', 'Show BGP peer capabilities in detail'))
    .addOption(new Option('--caps', 'Same as --capabilities, as other releases spell it').hideHelp())
    .addOption(outputOption())
    .action((options: BgpPeersOptions) => unlessBgpIsDisabled(ctx, () => runBgpPeers(options, ctx)));
  addWatchOptions(command);
}

async function runBgpPeers(options: BgpPeersOptions, ctx: Context): Promise<void> {
  const failure = 'cannot get peers list';
  if (options.output || !(options.capabilities || options.caps))
    return printAnswers(ctx, options, listBgpPeers, failure, peerTable);
  const peers = await listBgpPeers(await ctx.agent()).catch(failed(failure));
  await ctx.out.write(renderCapabilities(peers.decode()));
}
