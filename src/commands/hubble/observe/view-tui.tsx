import { render } from 'ink';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { LiveState } from '../../../hubble/views/live.ts';
import { compileWhere } from '../../../hubble/where/evaluate.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import { FlowRow, readFlow } from '../../../model/flow-row.ts';
import type { GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { type FlowStyle, flowCells, sanitizeRow } from '../../../render/hubble/flow.ts';
import { type CompileFilter, LiveControls } from './live-controls.ts';
import { LiveScreen } from './live-screen.tsx';

/** Shows messages on a live screen until the user quits; a stream that ends stays on the screen. */
export async function viewTui(
  batches: (signal: AbortSignal) => AsyncIterable<readonly GetFlowsResponse[]>,
  { target, style }: { target: string; style: FlowStyle },
  ctx: Context,
): Promise<void> {
  if (!ctx.tty)
    throw new UserError('--tui needs a terminal on standard input and output', {
      hint: 'Leave --tui out to print lines.',
    });
  const { stdin, stdout } = ctx.tty;
  const state = new LiveState();
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const controls = new LiveControls(state, compileFilter, () => stop.abort());
  const row = new FlowRow();
  const app = render(
    <LiveScreen
      target={target}
      controls={controls}
      cells={(flow) => {
        readFlow(row, flow);
        sanitizeRow(row);
        return flowCells(row, { ...style, color: false, nodeName: false });
      }}
      now={ctx.clock.nowMs}
      size={() => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })}
      onResize={(listener) => {
        stdout.on('resize', listener);
        return () => void stdout.off('resize', listener);
      }}
    />,
    // Without `interactive`, Ink takes a CI's variables to mean that there is no terminal.
    {
      stdin,
      stdout,
      exitOnCtrlC: false,
      patchConsole: false,
      maxFps: 10,
      alternateScreen: true,
      interactive: true,
    },
  );
  signal.addEventListener('abort', () => app.unmount(), { once: true });
  try {
    const fed = feed(batches(signal), state, ctx.clock.nowMs);
    await Promise.race([app.waitUntilExit(), fed.then(() => app.waitUntilExit())]);
  } finally {
    stop.abort();
    app.unmount();
  }
}

async function compileFilter(source: string): ReturnType<CompileFilter> {
  try {
    return await compileWhere(parseWhere(source), source);
  } catch (error) {
    return errorMessage(error);
  }
}

async function feed(
  batches: AsyncIterable<readonly GetFlowsResponse[]>,
  state: LiveState,
  now: () => number,
): Promise<void> {
  for await (const batch of batches) for (const message of batch) state.add(message, now());
  state.notice = 'The stream has ended. q quits.';
}
