import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { type RunOptions, type RunResult, run } from '../helpers/run.ts';

/** A flow's fields, back, rankings, the map, a connection, its flows, back, the timeline, a window of it, drops, help, and out. */
const KEYS = [...'\r', '\u001b', ...'t2j\r\r', '\u001b', ...'3hl\rd?q'];
/** Longer than from a key to its frame. */
const FRAME_MS = 150;

/** Runs a live screen in this process, goes through its panes, and returns all that was drawn as stdout. */
export async function runOnScreen(argv: readonly string[], options: RunOptions): Promise<RunResult> {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  const drawn: string[] = [];
  const stdout = Object.assign(new EventEmitter(), {
    isTTY: true,
    columns: 140,
    rows: 30,
    write: (text: string, done?: () => void) => {
      drawn.push(text);
      done?.();
      return true;
    },
  });
  const tty = {
    stdin: stdin as unknown as NodeJS.ReadStream,
    stdout: stdout as unknown as NodeJS.WriteStream,
  };
  const ended = run(argv, { ...options, tty });
  const frame = () => Promise.race([ended, new Promise((resolve) => setTimeout(resolve, FRAME_MS))]);
  // Until the file is read to its end; what cannot be read ends the run.
  let over = false;
  void ended.then(() => (over = true));
  while (!over && !drawn.some((text) => text.includes('The stream has ended'))) await frame();
  for (const key of KEYS) {
    await frame();
    stdin.write(key);
  }
  const result = await ended;
  return { ...result, stdout: result.stdout + drawn.join('') };
}
