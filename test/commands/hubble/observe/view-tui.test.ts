import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import { viewTui } from '../../../../src/commands/hubble/observe/view-tui.tsx';
import type { Flow, GetFlowsResponse } from '../../../../src/model/hubble.gen.ts';
import { timeFormat } from '../../../../src/render/hubble/flow-time.ts';
import { testContext } from '../../../helpers/run.ts';

const STYLE = {
  time: timeFormat('StampMilli'),
  color: true,
  nodeName: true,
  translateIps: true,
  policyNames: false,
};

const flow = (n: number, more: Flow = {}): GetFlowsResponse => ({
  flow: {
    time: '2026-11-22T08:00:00.500Z',
    uuid: `id-${n}`,
    verdict: 'FORWARDED',
    IP: { source: '10.0.0.1', destination: '10.0.0.2' },
    source: { pod_name: `pod-${n}`, namespace: 'ns' },
    event_type: { type: 4 },
    Summary: `summary ${n}`,
    ...more,
  },
});
const flows = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => flow(from + i));

const ESCAPE = '\u001b';
const UP = '\u001b[A';
const DOWN = '\u001b[B';
const PAGE_UP = '\u001b[5~';
const PAGE_DOWN = '\u001b[6~';
const CTRL_C = '\u0003';

/** A live screen in a terminal of which each frame can be read. */
function open(columns = 100, rows = 12) {
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode: () => stdin,
    ref: () => stdin,
    unref: () => stdin,
  });
  let written = '';
  const stdout = Object.assign(new EventEmitter(), {
    columns,
    rows,
    isTTY: true,
    write: (text: string, done?: () => void) => {
      written += text;
      stdout.emit('written');
      done?.();
      return true;
    },
  });
  const source = new PassThrough({ objectMode: true });
  const stop = new AbortController();
  const ctx = {
    ...testContext({ nowMs: 1_795_334_400_000, signal: stop.signal }),
    tty: {
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: stdout as unknown as NodeJS.WriteStream,
    },
  };
  /** What is on the screen: all since it was cleared last, without colours. */
  const frame = () =>
    (written.split(/\u001b\[(?:H|G|2K|\d*A)/).findLast((part) => part.includes('\n')) ?? '').replace(
      /\u001b\[[0-9;?]*[A-Za-z]/g,
      '',
    );
  const shows = async (...texts: (string | RegExp)[]) => {
    const isThere = (text: string | RegExp) =>
      typeof text === 'string' ? frame().includes(text) : text.test(frame());
    while (!texts.every(isThere)) await once(stdout, 'written');
  };
  const done = viewTui(() => source, { target: 'lab', style: STYLE }, ctx);
  return {
    frame,
    written: () => written,
    shows,
    push: (...batch: GetFlowsResponse[]) => void source.write(batch),
    end: () => void source.end(),
    fail: (error: Error) => void source.destroy(error),
    resize: (width: number, height: number) => {
      Object.assign(stdout, { columns: width, rows: height });
      stdout.emit('resize');
    },
    press: (key: string) => void stdin.write(key),
    stop: () => stop.abort(),
    done,
    quit: () => {
      stdin.write('q');
      return done;
    },
  };
}

describe('the live screen', () => {
  test('shows flows, never a control byte of theirs, and leaves the terminal as it was', async () => {
    const screen = open();
    const source = { namespace: 'ns', pod_name: 'evil \u001b[2Jpod' };
    screen.push(flow(1, { source, Summary: 'evil \u001b[2Jtext' }), {
      lost_events: { num_events_lost: '3' },
    });
    await screen.shows(
      'lab  1 flows',
      '3 lost',
      '08:00:00.500',
      'ns/evil ^[[2Jpod',
      'FORWARDED',
      'evil ^[[2J',
    );
    screen.press('\r');
    await screen.shows('Summary: evil ^[[2Jtext');
    await screen.quit();
    expect(screen.written().startsWith('\u001b[?1049h')).toBe(true);
    expect(screen.written().endsWith('\u001b[?1049l\u001b[?25h')).toBe(true);
    expect(screen.written()).not.toContain('evil \u001b[2J');
  });

  test('needs a terminal', async () => {
    await expect(
      viewTui(() => new PassThrough(), { target: 'lab', style: STYLE }, testContext()),
    ).rejects.toThrow('--tui needs a terminal on standard input and output');
  });

  test('waits for flows, and follows the newest', async () => {
    const screen = open(100, 8);
    await screen.shows('Waiting for flows');
    screen.push(...flows(0, 50));
    await screen.shows('pod-45 ', 'pod-49 ');
    expect(screen.frame()).not.toContain('pod-44 ');
    screen.push(...flows(50, 52));
    await screen.shows('pod-47 ', 'pod-51 ');
    await screen.quit();
  });

  test('shows all fields of a flow, and scrolls them', async () => {
    const screen = open(100, 8);
    screen.push(flow(1));
    await screen.shows('pod-1 ');
    screen.press('\r');
    await screen.shows('All fields (1–5 of 9;', 'uuid: id-1');
    screen.press('j');
    await screen.shows('All fields (2–6 of 9;');
    screen.press(DOWN);
    await screen.shows('All fields (3–7 of 9;');
    expect(screen.frame()).not.toContain('uuid:');
    screen.press(UP);
    await screen.shows('All fields (2–6 of 9;');
    screen.press(ESCAPE);
    await screen.shows('SOURCE');
    await screen.quit();
  });

  test('scrolls back to older flows', async () => {
    const screen = open(100, 8);
    screen.push(...flows(0, 50));
    await screen.shows('pod-49 ');
    screen.press(PAGE_UP);
    await screen.shows('pod-43 ', 'pod-47 ');
    screen.press(PAGE_UP);
    await screen.shows('pod-39 ', 'pod-43 ');
    screen.press(PAGE_DOWN);
    await screen.shows('pod-43 ', 'pod-47 ');
    screen.press('g');
    await screen.shows('pod-0 ', 'pod-4 ');
    screen.press('G');
    await screen.shows('pod-45 ', 'pod-49 ');
    await screen.quit();
  });

  test('holds still when it is paused, and says what it hides', async () => {
    const screen = open();
    screen.push(flow(1));
    await screen.shows('pod-1 ');
    screen.press(' ');
    await screen.shows('PAUSED, 0 new');
    screen.push(flow(2), flow(3));
    await screen.shows('PAUSED, 2 new', '3 flows');
    expect(screen.frame()).not.toContain('pod-2 ');
    screen.press(' ');
    await screen.shows('pod-2 ', 'pod-3 ');
    expect(screen.frame()).not.toContain('PAUSED');
    await screen.quit();
  });

  test('shows only what was dropped, and counts it', async () => {
    const screen = open();
    screen.push(
      flow(1),
      flow(2, { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }),
      flow(3, { verdict: 'ERROR' }),
    );
    await screen.shows('pod-3 ', '2 dropped (66.7 %)');
    screen.press('d');
    await screen.shows('drops only', 'pod-2 ', 'pod-3 ');
    expect(screen.frame()).not.toContain('pod-1 ');
    screen.press('d');
    await screen.shows('pod-1 ');
    await screen.quit();
  });

  test('filters by an expression, and says what is wrong with one', async () => {
    const screen = open();
    screen.push(...flows(0, 4));
    await screen.shows('pod-3 ');
    screen.press('/');
    await screen.shows(/^\/█/m);
    screen.press('src.pod = pod-2');
    await screen.shows(/^\/src.pod = pod-2█/m);
    screen.press('\r');
    await screen.shows('filter: src.pod = pod-2', 'pod-2 ');
    expect(screen.frame()).not.toContain('pod-1 ');
    screen.press('/');
    await screen.shows(/^\/src.pod = pod-2█/m);
    screen.press(' and');
    await screen.shows(/^\/src.pod = pod-2 and█/m);
    screen.press('\r');
    await screen.shows('expected the name of a field, found the end');
    await screen.quit();
  });

  test('ranks talkers and drops', async () => {
    const screen = open(80, 14);
    screen.push(flow(1), flow(1), flow(2, { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }));
    await screen.shows('pod-2 ');
    screen.press('t');
    await screen.shows(
      'Top talkers (source, destination, port)',
      /2 +66\.7 % +ns\/pod-1 +10\.0\.0\.2/,
      'Drops (reason, source, destination)',
      /1 +100\.0 % +POLICY_DENIED +ns\/pod-2/,
    );
    screen.press('t');
    await screen.shows('SOURCE');
    await screen.quit();
  });

  test('explains its keys', async () => {
    const screen = open(80, 16);
    screen.press('?');
    await screen.shows('Keys', 'pause; flows are counted all the same', 'quit');
    screen.press('?');
    await screen.shows('Waiting for flows');
    await screen.quit();
  });

  test('says what goes wrong with the stream until flows come again, and that it ended', async () => {
    const screen = open();
    screen.push({ node_status: { state_change: 'NODE_CONNECTED', node_names: ['n0'] } });
    screen.push({ node_status: { state_change: 'NODE_ERROR', node_names: ['n1', 'n2'], message: 'down' } });
    await screen.shows('NODE_ERROR: n1, n2 down');
    screen.push(flow(1));
    await screen.shows('pod-1 ', '? help');
    screen.push({ node_status: { state_change: 'NODE_UNAVAILABLE' } });
    await screen.shows('NODE_UNAVAILABLE:');
    screen.end();
    await screen.shows('The stream has ended. q quits.', 'pod-1 ');
    await screen.quit();
    expect(screen.written()).not.toContain('NODE_CONNECTED');
  });

  test.each<[number, (string | RegExp)[]]>([
    [140, ['SUMMARY', 'Nov 22 08:00:00.500', '▁', 'summary 1']],
    [100, ['SUMMARY', '08:00:00.500', '▁', 'summary 1']],
    [60, [/VERDICT +…/, '08:00:00.500']],
  ])('fits %d columns', async (columns, texts) => {
    const screen = open(90, 10);
    screen.push(flow(1));
    await screen.shows('pod-1 ');
    screen.resize(columns, 10);
    await screen.shows(...texts);
    expect(screen.frame().includes('SUMMARY')).toBe(columns >= 100);
    expect(screen.frame().includes('▁')).toBe(columns >= 100);
    const widths = screen
      .frame()
      .split('\n')
      .map((line) => [...line].length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(columns);
    await screen.quit();
  });

  test.each<[string, (screen: ReturnType<typeof open>) => void]>([
    ['Ctrl-C', (screen) => screen.press(CTRL_C)],
    ['a signal', (screen) => screen.stop()],
  ])('ends with %s', async (_, end) => {
    const screen = open();
    await screen.shows('Waiting for flows');
    end(screen);
    await screen.done;
    expect(screen.written().endsWith('\u001b[?1049l\u001b[?25h')).toBe(true);
  });

  test('leaves the terminal as it was when the stream fails', async () => {
    const screen = open();
    await screen.shows('Waiting for flows');
    screen.fail(new Error('the server went away'));
    await expect(screen.done).rejects.toThrow('the server went away');
    expect(screen.written().endsWith('\u001b[?1049l\u001b[?25h')).toBe(true);
  });
});
