import { type Command, Option } from 'commander';
import { listBgpPeers, readBgpPeers } from '../../agent/decode/bgp.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { addListOptions, printAnswers } from '../../cli/list.ts';
import { LIST_FORMATS, outputOption } from '../../cli/output.ts';
import { releaseOfForms } from '../../cli/release.ts';
import type { Context } from '../../context.ts';
import { peerTable, renderCapabilities } from '../../render/agent/bgp.ts';
import { capabilitiesOfNodes, peersOfNodes } from '../../render/agent/bgp-nodes.ts';
import { unlessBgpIsDisabled } from './disabled.ts';
import { addNodesFlags, areNodesMeant, type NodesOptions, printNodes } from './nodes.ts';

interface BgpPeersOptions extends NodesOptions {
  capabilities?: boolean;
  caps?: boolean;
}

/** Declares `bgp peers`. */
export function addBgpPeersCommand(command: Command, ctx: Context): void {
  command
    .addOption(new Option('-c, --capabilities', 'Show BGP peer capabilities in detail'))
    .addOption(new Option('--caps', 'Same as --capabilities, as other releases spell it').hideHelp())
    .addOption(outputOption('summary', ...LIST_FORMATS))
    .addHelpText(
      'after',
      examples(
        'cilium bgp peers --node worker-1',
        'cilium bgp peers --cluster',
        'cilium bgp peers --cluster -c',
      ),
    )
    .action(async (options: BgpPeersOptions) => {
      if (await areNodesMeant(options, ctx)) return runPeersOfNodes(options, ctx);
      await unlessBgpIsDisabled(ctx, () => runBgpPeers(options, ctx));
    });
  addListOptions(command);
  addNodesFlags(command);
}

function runPeersOfNodes(options: BgpPeersOptions, ctx: Context): Promise<void> {
  const question = {
    ask: listBgpPeers,
    argv: ['bgp', 'peers', '-o', 'json'],
    read: readBgpPeers,
    type: 'BgpPeer[]',
    unable: 'Unable to get peering status',
    errors: 'Errors retrieving peering state',
  };
  return printNodes(
    options,
    question,
    options.capabilities || options.caps ? capabilitiesOfNodes : peersOfNodes,
    ctx,
  );
}

async function runBgpPeers(options: BgpPeersOptions, ctx: Context): Promise<void> {
  const failure = 'cannot get peers list';
  if (options.output || !(options.capabilities || options.caps))
    return printAnswers(ctx, options, listBgpPeers, failure, async (peers) =>
      peerTable(peers, await releaseOfForms(ctx)),
    );
  const peers = await listBgpPeers(await ctx.agent()).catch(failed(failure));
  await ctx.out.write(renderCapabilities(peers.decode()));
}
