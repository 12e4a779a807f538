import type { Command } from 'commander';
import { Reader } from '../../agent/decode/reader.ts';
import type { CgroupDumpMetadata } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { cgroupTable } from '../../render/agent/cgroups.ts';

interface CgroupsListOptions extends OutputFlag, WatchFlags {
  headers: boolean;
}

/** Declares `cgroups list`. */
export function addCgroupsListCommand(command: Command, ctx: Context): void {
  command
    .option('--no-headers', 'Do not print headers')
    .addOption(outputOption())
    .action((options: CgroupsListOptions) => runCgroupsList(options, ctx));
  addWatchOptions(command);
}

async function runCgroupsList(options: CgroupsListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/cgroup-dump-metadata').catch(failed('Cannot get cgroup metadata'));
  if (options.output)
    return writeStructured(
      ctx,
      options.output,
      (await fetch())?.['pod-metadatas'] ?? null,
      'CgroupPodMetadata[]',
    );
  await printList(ctx, options, async () => {
    const pods = new Reader<CgroupDumpMetadata>('GET /cgroup-dump-metadata', await fetch())
      .at('pod-metadatas')
      .items();
    return cgroupTable(
      pods.map((pod) => ({
        name: pod.text('name'),
        namespace: pod.text('namespace'),
        ids: pod
          .at('containers')
          .items()
          .map((container) => container.exact('cgroup-id')),
      })),
      options,
    );
  });
}
