import { render } from 'ink';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { topKeys } from '../../../hubble/views/top.ts';
import type { ResolvedField } from '../../../hubble/where/fields.ts';
import type { Flow } from '../../../model/hubble.gen.ts';
import { LiveState } from './state.ts';
import { LiveScreen, type LiveScreenProps } from './view.tsx';

/** What arrives on the stream. */
export type LiveEvent = { flow: Flow } | { lost: bigint } | { notice: string };

const ENTER = '\u001b[?1049h\u001b[?25l';
const LEAVE = '\u001b[?25h\u001b[?1049l';

function keys(...words: string[]): ResolvedField[] {
  const found = topKeys(words);
  if (typeof found === 'string') throw new Error(`no such key: ${found}`);
  return found;
}

/** Runs the live screen over a stream until the user quits or the stream ends and is left. */
export async function runLiveScreen(
  events: (signal: AbortSignal) => AsyncIterable<LiveEvent>,
  options: Pick<LiveScreenProps, 'target' | 'cells' | 'compile'>,
  ctx: Context,
): Promise<void> {
  const { tty } = ctx;
  if (!tty)
    throw new UserError('--tui needs a terminal on standard input and output', {
      hint: 'Leave --tui out to print lines.',
    });
  const { stdin, stdout } = tty;
  const state = new LiveState(keys('src', 'dst', 'port'), keys('reason', 'src', 'dst'));
  const stop = new AbortController();
  const signal = AbortSignal.any([ctx.signal, stop.signal]);
  stdout.write(ENTER);
  const app = render(
    <LiveScreen
      {...options}
      state={state}
      now={ctx.clock.nowMs}
      size={() => ({ columns: stdout.columns || 80, rows: stdout.rows || 24 })}
      onResize={(listener) => {
        stdout.on('resize', listener);
        return () => void stdout.off('resize', listener);
      }}
      quit={() => stop.abort()}
    />,
    { stdin, stdout, exitOnCtrlC: false, patchConsole: false, maxFps: 10 },
  );
  signal.addEventListener('abort', () => app.unmount(), { once: true });
  try {
    const pump = feed(events(signal), state, ctx.clock.nowMs, signal);
    await Promise.race([app.waitUntilExit(), pump.then(() => app.waitUntilExit())]);
  } finally {
    stop.abort();
    app.unmount();
    stdout.write(LEAVE);
  }
}

async function feed(
  events: AsyncIterable<LiveEvent>,
  state: LiveState,
  now: () => number,
  signal: AbortSignal,
): Promise<void> {
  try {
    for await (const event of events) {
      if ('flow' in event) {
        state.notice = '';
        state.add(event.flow, now());
      } else if ('lost' in event) state.lost += event.lost;
      else state.notice = event.notice;
    }
    state.notice = 'The stream has ended. q quits.';
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
