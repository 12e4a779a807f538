import { render } from 'ink';
import { Later } from '../../../cli/later.ts';
import type { Context } from '../../../context.ts';
import { errorMessage, UserError } from '../../../errors.ts';
import { LiveState } from '../../../hubble/views/live.ts';
import { compileWhere } from '../../../hubble/where/evaluate.ts';
import { parseWhere } from '../../../hubble/where/parse.ts';
import { FlowRow, readFlow } from '../../../model/flow-row.ts';
import type { Flow, GetFlowsResponse } from '../../../model/hubble.gen.ts';
import { type FlowStyle, flowCells, sanitizeRow } from '../../../render/hubble/flow.ts';
import { goJson } from '../../../render/text/json.ts';
import { wantsColor } from '../../../render/text/palette.ts';
import { toClipboard } from '../../../render/text/screen.ts';
import { type LiveActions, LiveControls } from './live-controls.ts';
import { LiveScreen } from './live-screen.tsx';
import type { StreamNews } from './source-stream.ts';

/** What the screen says of itself. */
export interface TuiOptions {
  /** Where the flows come from. */
  target: string;
  /** The filters of the command line. */
  given?: string;
  style: FlowStyle;
  /** Where the rules and identities are that `p` asks; as `policy why` finds them when absent. */
  state?: 'cluster' | 'several' | undefined;
}

type Batches = AsyncIterable<readonly GetFlowsResponse[]>;

/** Shows messages on a live screen until the user quits; a stream that ends stays on the screen. */
export async function viewTui(
  batches: (signal: AbortSignal, told: Context, news: StreamNews) => Batches,
  { target, given = '', style, state: asked }: TuiOptions,
  ctx: Context,
): Promise<void> {
  const hint = 'Leave --tui out to print lines.';
  if (!ctx.tty) throw new UserError('--tui needs a terminal on standard input and output', { hint });
  if (ctx.env.TERM === 'dumb')
    throw new UserError('--tui needs a terminal that can draw a screen, and TERM is dumb', { hint });
  const { stdin, stdout } = ctx.tty;
  const state = new LiveState();
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  const copied = (what: string, text: string, size: string) => {
    void ctx.out.write(toClipboard(text));
    return `Sent ${what} to the clipboard of the terminal (OSC 52, ${size}), which may refuse it.`;
  };
  const controls = new LiveControls(state, {
    ...actionsOf(style, asked, ctx),
    copy: (flow) => {
      const json = goJson({ flow });
      return copied('the flow', json, `${json.length} characters of JSON`);
    },
    copyFilter: (filter) => copied('the filter', filter, `${filter.length} characters`),
    quit: () => stop.abort(),
  });
  const app = render(
    <LiveScreen
      target={target}
      given={given}
      controls={controls}
      color={wantsColor(ctx.globals.color, ctx.env, true)}
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
  const later = new Later((line) => {
    state.notice = line;
  });
  try {
    const told = { ...ctx, err: later };
    const fed = feed(batches(signal, told, newsOf(controls, later, ctx)), state, ctx.clock.nowMs);
    await Promise.race([app.waitUntilExit(), fed.then(() => app.waitUntilExit())]);
  } finally {
    stop.abort();
    app.unmount();
    await later.writeTo(ctx.err);
  }
}

function newsOf(controls: LiveControls, later: Later, { clock }: Context): StreamNews {
  const { state } = controls;
  return {
    broke: (cause, attempt, waitMs) => {
      state.gone = { cause, attempt, nextMs: clock.nowMs() + waitMs };
    },
    back: async (text) => {
      state.gone = undefined;
      await later.write(`${text}\n`);
      // The next flow would take a notice away, and what is missing is worth reading.
      controls.said = text;
    },
  };
}

function actionsOf(
  style: FlowStyle,
  state: TuiOptions['state'],
  ctx: Context,
): Pick<LiveActions, 'cells' | 'compile' | 'explain'> {
  const row = new FlowRow();
  return {
    cells: (flow) => {
      readFlow(row, flow);
      sanitizeRow(row);
      return flowCells(row, { ...style, color: false, nodeName: true });
    },
    compile: async (source) => {
      try {
        return await compileWhere(parseWhere(source), source);
      } catch (error) {
        const [what = ''] = errorMessage(error)
          .replace(/^--where: /, '')
          .split('\n');
        const hint = error instanceof UserError ? error.hint : undefined;
        return hint ? `${what}. ${hint}` : what;
      }
    },
    explain: async (flow: Flow) => {
      if (state === 'several')
        throw new UserError('of flows of several clusters it is not known whose policies decided', {
          hint: 'Show one cluster.',
        });
      const { explainFlow } = await import('../../../cli/policy/explain-flow.ts');
      const { renderWhy } = await import('../../../render/policy/why.ts');
      return renderWhy(await explainFlow(flow, { rules: [], ...(state && { state }) }, ctx));
    },
  };
}

async function feed(batches: Batches, state: LiveState, now: () => number): Promise<void> {
  for await (const batch of batches) for (const message of batch) state.add(message, now());
  state.ended = true;
  state.notice = 'The stream has ended. q quits.';
}
