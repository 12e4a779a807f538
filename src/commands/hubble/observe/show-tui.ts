import type { Context } from '../../../context.ts';
import { errorMessage } from '../../../errors.ts';
import { compileWhere } from '../../../hubble/where/evaluate.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import { FlowRow, readFlow } from '../../../model/flow-row.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { flowCells } from '../../../render/hubble/flow.ts';
import type { LiveEvent } from '../tui/run.tsx';
import { styleFlags, styleOf } from './output.ts';
import type { OwnJob } from './own.ts';

/** Shows the messages on a live screen. */
export async function showTui(
  messages: (signal: AbortSignal) => AsyncIterable<GetFlowsResponse[]>,
  { flags, settings }: OwnJob,
  ctx: Context,
): Promise<void> {
  const { runLiveScreen } = await import('../tui/run.tsx');
  const style = { ...styleOf(styleFlags(flags, ctx)), color: false, nodeName: false };
  const row = new FlowRow();
  await runLiveScreen(
    (signal) => events(messages(signal)),
    {
      target: flags.inputFile[0] ?? settings.text('server'),
      cells: (flow) => {
        readFlow(row, flow);
        return flowCells(row, style);
      },
      compile: async (source) => {
        try {
          return await compileWhere(parseWhere(source), source);
        } catch (error) {
          return errorMessage(error);
        }
      },
    },
    ctx,
  );
}

async function* events(messages: AsyncIterable<GetFlowsResponse[]>): AsyncGenerator<LiveEvent> {
  for await (const batch of messages) {
    for (const { flow, lost_events: lost, node_status: status } of batch) {
      if (flow) yield { flow };
      else if (lost) yield { lost: BigInt(lost.num_events_lost ?? 0) };
      else if (status?.state_change === 'NODE_ERROR' || status?.state_change === 'NODE_UNAVAILABLE')
        yield {
          notice: `${status.state_change}: ${(status.node_names ?? []).join(', ')} ${status.message ?? ''}`,
        };
    }
  }
}
