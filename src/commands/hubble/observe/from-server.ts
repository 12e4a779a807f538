import type { Context } from '../../../context.ts';
import { decodeAnswer } from '../../../hubble/client.ts';
import { RowDecoder } from '../../../hubble/fast/flow-wire.ts';
import { decode } from '../../../hubble/protobuf/codec.ts';
import { FlowRow } from '../../../model/flow-row.ts';
import type { FlowRenderer } from '../../../render/hubble/flow-format.ts';
import { sanitizeCell } from '../../../render/text/sanitize.ts';
import type { Settings } from '../settings.ts';
import type { FilterLists } from './filter-builder.ts';
import { openFlowStream } from './follow.ts';
import type { RecordSink } from './output.ts';
import type { OwnFlags } from './own-flags.ts';
import { flowsRequest } from './request.ts';
import type { Selection } from './selectors.ts';

/** What to ask for and where it goes. */
export interface ServerJob {
  settings: Settings;
  flags: Pick<OwnFlags, 'reconnect' | 'maxReconnects'>;
  filters: FilterLists;
  selection: Selection;
  mask: readonly string[];
  renderer: FlowRenderer;
  sink: RecordSink;
  silent: boolean;
}

/** Prints the flows that a server sends, until it ends the stream or Ctrl-C does. */
export async function observeServer(job: ServerJob, ctx: Context): Promise<void> {
  const { renderer, sink } = job;
  const print = printer(renderer);
  try {
    for await (const batch of openFlowStream(flowsRequest(job), job.settings, job.flags, ctx)) {
      for (const bytes of batch) sink.add(decodeAnswer(() => print(bytes)));
      const status = renderer.takeStatus();
      if (status !== '' && !job.silent) await ctx.err.write(status);
      await sink.flush();
    }
  } catch (error) {
    await sink.end();
    if (!ctx.signal.aborted) throw error;
    return;
  }
  await sink.end();
}

/** Makes text of an answer: what people read by the short way, the rest by way of the whole message. */
function printer(renderer: FlowRenderer): (bytes: Buffer) => string {
  const whole = (bytes: Buffer) => renderer.response(decode('observer.GetFlowsResponse', bytes));
  if (renderer.format === 'json' || renderer.format === 'legacy-json' || renderer.style.policyNames)
    return whole;
  const decoder = new RowDecoder(sanitizeCell);
  const row = new FlowRow();
  return (bytes) => (decoder.decode(bytes, row) ? renderer.row(row) : whole(bytes));
}
