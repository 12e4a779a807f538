import { type Command, Option } from 'commander';
import { ApiError, payloadOf } from '../../agent/client.ts';
import { decodeMapEvent, JsonStream } from '../../agent/decode/maps.ts';
import { apiType } from '../../agent/decode/shapes.ts';
import { failed } from '../../cli/answer.ts';
import { examples } from '../../cli/flags.ts';
import { type OutputFlag, outputOption } from '../../cli/output.ts';
import type { Context } from '../../context.ts';
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
  const call = 'GET /map/{name}/events';
  const follow = options.follow === true;
  const request = agent.request('GET', '/map/{name}/events', { path: { name }, query: { follow } });
  const events = new JsonStream(call);
  let refusal = '';
  const show = async (chunk: Buffer, status: number): Promise<void> => {
    if (status !== 200) {
      refusal = (refusal + chunk.toString()).slice(0, 4096);
      return;
    }
    const texts = await Promise.all(events.push(chunk).map((event) => renderEvent(event, options.output)));
    if (texts.length > 0) await ctx.out.write(texts.join(''));
  };
  try {
    const { status } = await agent.http.stream(follow ? { ...request, timeoutMs: undefined } : request, show);
    if (status !== 200) throw new ApiError('GET', '/map/{name}/events', status, payloadOf(refusal));
    events.end();
  } catch (error) {
    if (!ctx.signal.aborted) failed('could not get map name events')(error);
    await ctx.err.write('\nReceived an interrupt, disconnecting from event stream...\n\n');
  }
}

function renderEvent(event: unknown, format: string): Promise<string> | string {
  return format
    ? renderOutput(event, format, { type: () => apiType('MapEvent') })
    : renderMapEvent(decodeMapEvent(event));
}
