import type { Command } from 'commander';
import { mayWrite, type WriteOptions, writeFlags } from '../../cli/confirm.ts';
import { examples } from '../../cli/flags.ts';
import { askEach } from '../../cli/kube/each-agent.ts';
import { IS_MISSING } from '../../cluster/multicast.ts';
import type { Context } from '../../context.ts';
import { openCluster } from '../../kube/road.ts';
import { failedAs, groupOf, groupOption, type MulticastOptions, multicast, waitOption } from './agents.ts';
import { type Done, finishWrite } from './finish.ts';

type DeleteOptions = MulticastOptions & WriteOptions;

const UNABLE = 'Unable to delete all nodes';

/** Declares `multicast delete`. */
export function addMulticastDeleteCommand(command: Command, ctx: Context): void {
  writeFlags(command)
    .addOption(groupOption())
    .addOption(waitOption())
    .addHelpText('after', examples('cilium multicast delete --group-ip 239.255.0.1'))
    .action((options: DeleteOptions) => runMulticastDelete(options, ctx));
}

async function runMulticastDelete(options: DeleteOptions, ctx: Context): Promise<void> {
  const group = groupOf(options.groupIp, UNABLE);
  await using client = await openCluster(ctx);
  if (
    !(await mayWrite(
      ctx,
      `delete the multicast group ${group} with all its subscribers on every node`,
      options,
    ))
  )
    return;
  const told = await askEach(
    client,
    { waitMs: options.waitDuration },
    async (place): Promise<Done> => {
      const { node } = place;
      const done = await multicast(client, place, 'group', 'delete', group);
      if (done.exitCode === 0) return { text: `Deleted multicast group ${group} in ${node}\n` };
      if (IS_MISSING.test(done.stderr))
        return { text: `Multicast group ${group} does not exist in ${node}\n` };
      return {
        text: `Unable to delete multicast group ${group} in ${node} by fatal error\n`,
        why: failedAs(done).message,
      };
    },
    ctx,
  );
  await finishWrite(told, UNABLE, ctx);
}
