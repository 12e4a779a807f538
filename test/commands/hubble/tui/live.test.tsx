import { EventEmitter } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { runLiveScreen } from '../../../../src/commands/hubble/tui/run.tsx';
import {
  detailLines,
  LiveState,
  SCROLLBACK,
  short,
  sparkline,
} from '../../../../src/commands/hubble/tui/state.ts';
import type { Context } from '../../../../src/context.ts';
import { topKeys } from '../../../../src/hubble/views/top.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';
import { contextOf } from '../../../../src/system.ts';

const keys = (...words: string[]) => {
  const found = topKeys(words);
  if (typeof found === 'string') throw new Error(found);
  return found;
};
const flow = (n: number, verdict: 'FORWARDED' | 'DROPPED' = 'FORWARDED'): Flow => ({
  uuid: String(n),
  verdict,
  source: { pod_name: `pod-${n}`, namespace: 'ns' },
});

describe('the state of the screen', () => {
  const fresh = () => new LiveState(keys('src'), keys('reason'));

  test('counts every flow and keeps a bounded list', () => {
    const state = fresh();
    for (let i = 0; i < 3 * SCROLLBACK; i++)
      state.add(flow(i, i % 10 === 0 ? 'DROPPED' : 'FORWARDED'), 1000 + i);
    expect(state.total).toBe(3 * SCROLLBACK);
    expect(state.drops).toBe((3 * SCROLLBACK) / 10);
    expect(state.visible.length).toBeLessThanOrEqual(SCROLLBACK * 1.2);
    expect(state.visible.at(-1)?.flow.uuid).toBe(String(3 * SCROLLBACK - 1));
  });

  test('holds still when paused and says what it hides', () => {
    const state = fresh();
    state.add(flow(1), 1000);
    state.paused = true;
    state.add(flow(2), 1000);
    state.add(flow(3), 1000);
    expect(state.visible.map(({ flow: f }) => f.uuid)).toEqual(['1']);
    expect(state.hidden).toBe(2);
    state.paused = false;
    expect(state.visible.length).toBe(3);
  });

  test('filters what is there and what comes', () => {
    const state = fresh();
    for (let i = 0; i < 4; i++) state.add(flow(i, i % 2 === 0 ? 'DROPPED' : 'FORWARDED'), 1000);
    state.dropsOnly = true;
    state.add(flow(4, 'DROPPED'), 1000);
    state.add(flow(5), 1000);
    expect(state.visible.map(({ flow: f }) => f.uuid)).toEqual(['0', '2', '4']);
    state.filter = (f) => f.uuid === '4';
    expect(state.visible.length).toBe(1);
  });

  test('its rate is that of full seconds', () => {
    const state = fresh();
    for (let second = 0; second < 10; second++)
      for (let i = 0; i < 7; i++) state.add(flow(i), 1_000_000 + second * 1000);
    expect(state.rate).toBe(7);
    expect(sparkline([0, 1, 2])).toBe('▁▅█');
    expect([short(999), short(12_345), short(2_500_000)]).toEqual(['999', '12.3k', '2.5M']);
  });

  test('details show every field with its path', () => {
    expect(detailLines({ a: { b: 1, c: ['x', 'y'] }, d: [{ e: true }] })).toEqual([
      'a.b: 1',
      'a.c: x, y',
      'd[0].e: true',
    ]);
  });
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
    write: (text: string) => {
      screen += text;
      return true;
    },
  });
  const raw = () => screen;
  const plain = () => screen.replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '');
  return { stdin, stdout, raw, plain, press: (text: string) => void stdin.write(text) };
}

async function until(holds: () => boolean): Promise<void> {
  const end = Date.now() + 10_000;
  while (!holds()) {
    if (Date.now() > end) throw new Error('it did not come');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
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
  const done = runLiveScreen(
    async function* (signal) {
      yield { flow: { ...flow(1, 'DROPPED'), Summary: 'evil \u001b[2Jtext' } };
      yield { lost: 3n };
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    },
    {
      target: 'lab',
      cells: (f) => [
        '12:00',
        `${f.source?.namespace}/${f.source?.pod_name}`,
        'dst',
        'drop',
        String(f.verdict),
        'summary',
      ],
      compile: async () => 'no such field',
    },
    ctx,
  );
  await until(() => term.plain().includes('ns/pod-1') && term.plain().includes('3 lost'));
  term.press('\r');
  await until(() => term.plain().includes('Summary: evil ^[[2Jtext'));
  term.press('?');
  await until(() => term.plain().includes('follow'));
  term.press('q');
  await done;
  expect(term.raw().startsWith('\u001b[?1049h')).toBe(true);
  expect(term.raw().endsWith('\u001b[?25h\u001b[?1049l')).toBe(true);
  expect(term.raw()).not.toContain('evil \u001b[2J');
}, 20_000);
