import type { Command } from 'commander';
import { decodeMap } from '../../agent/decode/maps.ts';
import { Reader } from '../../agent/decode/reader.ts';
import type { BPFMapList } from '../../agent/decode/types.gen.ts';
import { failed } from '../../cli/answer.ts';
import { type OutputFlag, outputOption, writeStructured } from '../../cli/output.ts';
import { addWatchOptions, printList, type WatchFlags } from '../../cli/watch.ts';
import type { Context } from '../../context.ts';
import { mapTable, renderMapsVerbose } from '../../render/agent/maps.ts';

interface MapListOptions extends OutputFlag, WatchFlags {
  verbose?: boolean;
}

/** Declares `map list`. */
export function addMapListCommand(command: Command, ctx: Context): void {
  command
    .option('--verbose', 'Print cache contents of all maps')
    .addOption(outputOption())
    .action((options: MapListOptions) => runMapList(options, ctx));
  addWatchOptions(command);
}

async function runMapList(options: MapListOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  const fetch = () => agent.get('/map').catch(failed('Cannot get the list of maps'));
  const answer = await fetch();
  if (answer === undefined) return;
  if (options.output) return writeStructured(ctx, options.output, answer, 'BPFMapList');
  const list = new Reader<BPFMapList>('GET /map', answer);
  if (!list.has('maps') && !options.watch) return;
  if (options.verbose && !options.watch)
    return ctx.out.write(renderMapsVerbose(list.at('maps').items().map(decodeMap)));
  let first: BPFMapList | undefined = answer;
  await printList(ctx, options, async () => {
    const now = first ?? (await fetch());
    first = undefined;
    return mapTable(new Reader<BPFMapList>('GET /map', now).at('maps').items().map(decodeMap));
  });
}
