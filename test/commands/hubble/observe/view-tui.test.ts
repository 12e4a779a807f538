import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { expect, test } from '@jest/globals';
import { viewTui } from '../../../../src/commands/hubble/observe/view-tui.tsx';
import type { Context } from '../../../../src/context.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';
import { timeFormat } from '../../../../src/render/hubble/flow-time.ts';
import { contextOf } from '../../../../src/system.ts';

const flow = (n: number): Flow => ({
  uuid: String(n),
  verdict: 'DROPPED',
  IP: { source: '10.0.0.1', destination: '10.0.0.2' },
  source: { pod_name: `pod-${n}`, namespace: 'ns' },
});

/** A terminal of which each frame can be read. */
function terminal(columns: number, rows: number) {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  let screen = '';
  const stdout = Object.assign(new EventEmitter(), {
    columns,
    rows,
    isTTY: true,
    write: (text: string, done?: () => void) => {
      screen += text;
      stdout.emit('drawn');
      done?.();
      return true;
    },
  });
  const raw = () => screen;
  const plain = () => screen.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  /** Resolves when the screen has shown every text. */
  const shows = async (...texts: string[]) => {
    while (!texts.every((text) => plain().includes(text))) await once(stdout, 'drawn');
  };
  return { stdin, stdout, raw, shows, press: (text: string) => void stdin.write(text) };
}

test('the screen shows flows, never a control byte of theirs, and leaves the terminal as it was', async () => {
  const term = terminal(100, 12);
  const ctx: Context = {
    ...contextOf({
      out: { isTTY: true, columns: 100, write: async () => {} },
      err: { isTTY: true, columns: 100, write: async () => {} },
      in: { isTTY: true, async *[Symbol.asyncIterator]() {} } as Context['in'],
      env: {},
      cwd: '/',
      uid: 0,
      clock: { nowMs: Date.now, uptimeMs: () => 0, sleep: async () => {} },
      signal: new AbortController().signal,
    }),
    tty: {
      stdin: term.stdin as unknown as NodeJS.ReadStream,
      stdout: term.stdout as unknown as NodeJS.WriteStream,
    },
  };
  const done = viewTui(
    async function* (signal) {
      yield [
        { flow: { ...flow(1), Summary: 'evil \u001b[2Jtext' } },
        { lost_events: { num_events_lost: '3' } },
      ];
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    {
      target: 'lab',
      style: {
        time: timeFormat('StampMilli'),
        color: false,
        nodeName: false,
        translateIps: true,
        policyNames: false,
      },
    },
    ctx,
  );
  await term.shows('ns/pod-1', '3 lost');
  term.press('\r');
  await term.shows('Summary: evil ^[[2Jtext');
  term.press('?');
  await term.shows('follow');
  term.press('q');
  await done;
  expect(term.raw().startsWith('\u001b[?1049h')).toBe(true);
  expect(term.raw().endsWith('\u001b[?1049l\u001b[?25h')).toBe(true);
  expect(term.raw()).not.toContain('evil \u001b[2J');
}, 20_000);
