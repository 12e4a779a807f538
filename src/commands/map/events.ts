import { type Command, Option } from 'commander';
import type { Answer } from '../../agent/decode/answer.ts';
import { streamMapEvents } from '../../agent/decode/maps.ts';
import { apiType } from '../../agent/decode/shapes.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
import type { MapEventRow } from '../../model/cached-map.ts';
import { renderMapEvent } from '../../render/agent/maps.ts';
import { renderOutput } from '../../render/text/output.ts';
import { mapName } from './get.ts';

interface MapEventsOptions extends OutputFlag {
  follow?: boolean;
}

/** Declares `map events`. */
export function addMapEventsCommand(command: Command, ctx: Context): void {
  command
    .addHelpText('after', examples('cilium map events cilium_ipcache_v2 --follow'))
    .argument('[name]', 'name of the map, such as cilium_ipcache_v2')
    .addOption(new Option('-f, --follow', 'If set then events will be streamed'))
    .addOption(outputOption())
    .action((name: string | undefined, options: MapEventsOptions) =>
      runMapEvents(mapName(name), options, ctx),
    );
}

async function runMapEvents(name: string, options: MapEventsOptions, ctx: Context): Promise<void> {
  const agent = await ctx.agent();
  try {
    await streamMapEvents(agent, name, options.follow === true, async (events) => {
      const texts = await Promise.all(events.map((event) => renderEvent(event, options.output)));
      if (texts.length > 0) await ctx.out.write(texts.join(''));
    });
  } catch (error) {
    if (!ctx.signal.aborted) failed('could not get map name events')(error);
    await ctx.err.write('\nReceived an interrupt, disconnecting from event stream...\n\n');
  }
}

async function renderEvent(event: Answer<MapEventRow>, format: string): Promise<string> {
  if (!format) return renderMapEvent(event.decode());
  return renderOutput(event.document, format, { type: () => apiType(event.type) });
}
