import { EventEmitter, once } from 'node:events';
import { PassThrough } from 'node:stream';
import { describe, expect, test } from '@jest/globals';
import type { StreamNews } from '../../../../src/commands/hubble/observe/source-stream.ts';
import { type TuiOptions, viewTui } from '../../../../src/commands/hubble/observe/view-tui.tsx';
import type { Context } from '../../../../src/context.ts';
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
function open(columns = 100, rows = 12, given = '', state?: TuiOptions['state']) {
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
  const output: Buffer[] = [];
  const errors: Buffer[] = [];
  const ctx = {
    ...testContext({ nowMs: 1_795_334_400_000, signal: stop.signal }, output, errors),
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
  let outside: { told: Context; news: StreamNews } | undefined;
  const done = viewTui(
    (_, told, news) => {
      outside = { told, news };
      return source;
    },
    { target: 'lab', given, style: STYLE, state },
    ctx,
  );
  return {
    frame,
    broke: (...what: Parameters<StreamNews['broke']>) => void outside?.news.broke(...what),
    back: (text: string) => void outside?.news.back(text),
    complain: async (text: string) => outside?.told.err.write(text),
    stdout: () => Buffer.concat(output).toString(),
    stderr: () => Buffer.concat(errors).toString(),
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
      '1 flows',
      '3 lost  lab',
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

  test('refuses a terminal that cannot draw', async () => {
    const tty = {
      stdin: process.stdin as NodeJS.ReadStream,
      stdout: process.stdout as NodeJS.WriteStream,
    };
    const ctx = testContext({ env: { TERM: 'dumb' } });
    await expect(
      viewTui(() => new PassThrough(), { target: 'lab', style: STYLE }, { ...ctx, tty }),
    ).rejects.toThrow('TERM is dumb');
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
    await screen.shows('DROPS ONLY', 'pod-2 ', 'pod-3 ');
    expect(screen.frame()).not.toContain('pod-1 ');
    screen.press('d');
    await screen.shows('pod-1 ');
    await screen.quit();
  });

  test('filters by an expression, and says what is wrong with one', async () => {
    const screen = open();
    screen.push(...flows(0, 4));
    await screen.shows('pod-3 ');
    screen.press('f');
    await screen.shows(/^filter: █ +Enter applies/m);
    screen.press('src.pod = pod-2');
    await screen.shows(/^filter: src.pod = pod-2█/m);
    screen.press('\r');
    await screen.shows(/^filter: src.pod = pod-2$/m, /\? help/);
    expect(screen.frame()).not.toContain('pod-1 ');
    screen.press('f');
    await screen.shows(/^filter: src.pod = pod-2█/m);
    screen.press(' and');
    await screen.shows(/^filter: src.pod = pod-2 and█/m);
    screen.press('\r');
    await screen.shows('expected the name of a field, found the end', /^filter: src.pod = pod-2 and█/m);
    screen.press(ESCAPE);
    await screen.shows(/^(?![\s\S]*expected the name)[\s\S]*\nfilter: src.pod = pod-2 and█/);
    screen.press(ESCAPE);
    await screen.shows('? help', 'filter: src.pod = pod-2');
    await screen.quit();
  });

  test('ranks talkers and drops', async () => {
    const screen = open(80, 14);
    screen.push(flow(1), flow(1), flow(2, { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' }));
    await screen.shows('pod-2 ');
    screen.press('t');
    await screen.shows(
      'Top talkers (source, destination, port; Enter filters)',
      /2 +66\.7 % +ns\/pod-1 +10\.0\.0\.2/,
      'Drops (reason, source, destination)',
      /1 +100\.0 % +POLICY_DENIED +ns\/pod-2/,
    );
    screen.press('t');
    await screen.shows('SOURCE');
    await screen.quit();
  });

  test('explains no flow of several clusters, as it is not known whose policies decided', async () => {
    const screen = open(120, 12, '', 'several');
    screen.push(flow(1));
    await screen.shows('pod-1');
    screen.press('p');
    await screen.shows('of flows of several clusters it is not known whose policies decided');
    await screen.quit();
  });

  test('explains its keys, and scrolls them where there is no room for all', async () => {
    const screen = open(60, 10);
    screen.press('?');
    await screen.shows(/^Keys \(1–7 of \d+;/m, '1 2 3 4 Tab');
    screen.press('\u001b[F');
    await screen.shows('In f and /: ↑ ↓ history');
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
    await screen.shows(/^ ENDED /, 'The stream has ended. q quits.', 'pod-1 ');
    await screen.quit();
    expect(screen.written()).not.toContain('NODE_CONNECTED');
  });

  test('says first that the server has gone, how often it was tried, and when it is tried again', async () => {
    const screen = open();
    screen.push(flow(1));
    await screen.shows('pod-1 ');
    screen.broke('read ECONNRESET', 3, 2000, true);
    await screen.shows(/^ SERVER GONE: attempt 3 in 2 s /, 'read ECONNRESET');
    screen.back('The stream is back after 4.0 s; nothing is missing.');
    await screen.shows('The stream is back after 4.0 s; nothing is missing.');
    expect(screen.frame()).not.toContain('GONE');
    await screen.quit();
  });

  test('keeps what stderr would get off the screen, and prints it afterwards', async () => {
    const screen = open();
    await screen.shows('Waiting for flows');
    await screen.complain('line 7: not a flow \u001b[2J\n');
    await screen.shows('line 7: not a flow ^[[2J');
    expect(screen.stderr()).toBe('');
    await screen.quit();
    expect(screen.stderr()).toBe('line 7: not a flow ^[[2J\n');
  });

  test('shows the filters of the command line, and copies a flow', async () => {
    const screen = open(100, 12, "--namespace shop --where 'dst.port = 80'");
    screen.push(flow(1));
    await screen.shows("given: --namespace shop --where 'dst.port = 80'", 'pod-1 ');
    screen.press('y');
    await screen.shows('Sent the flow to the clipboard of the terminal (OSC 52');
    const [, copied = ''] = /\u001b\]52;c;([^\u001b]*)\u001b\\/.exec(screen.stdout()) ?? [];
    expect(JSON.parse(Buffer.from(copied, 'base64').toString())).toMatchObject({ flow: { uuid: 'id-1' } });
    await screen.quit();
  });

  test('wraps what does not fit', async () => {
    const screen = open(60, 10);
    screen.push(flow(1, { Summary: 'a summary that has no room beside the rest' }));
    await screen.shows('pod-1 ');
    expect(screen.frame()).not.toContain('beside the rest');
    screen.press('w');
    await screen.shows(/summary that\s+has no room beside\s+the rest|beside the rest/);
    await screen.quit();
  });

  test.each<[number, (string | RegExp)[]]>([
    [140, ['SUMMARY', 'Nov 22 08:00:00.500', '▁', 'summary 1']],
    [100, ['SUMMARY', '08:00:00.500', '▁', 'summary 1']],
    [200, ['NODE', 'SUMMARY', 'Nov 22 08:00:00.500', 'summary 1']],
    [60, [/^TIME +SOURCE +DESTINATION +VERDICT *$/m, /^08:00:00 /m, 'FORWARDED']],
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

/** Flows of two connections: one is answered with codes, the other is dropped, a while later. */
const web = { pod_name: 'web', namespace: 'ns' };
const api = { pod_name: 'api', namespace: 'ns' };
const job = { pod_name: 'job', namespace: 'ns' };
const l4 = { TCP: { source_port: 40_000, destination_port: 80 } };
const TALK = [
  flow(1, { source: web, destination: api, is_reply: false, l4 }),
  flow(2, {
    source: api,
    destination: web,
    is_reply: true,
    l7: { type: 'RESPONSE', http: { code: 503 }, latency_ns: '7000000' },
  }),
  flow(3, {
    time: '2026-11-22T08:00:03.500Z',
    source: job,
    destination: { pod_name: 'evil \u001b[2J', namespace: 'ns' },
    is_reply: false,
    verdict: 'DROPPED',
    drop_reason_desc: 'POLICY_DENIED',
    l4,
  }),
];

describe('map and timeline', () => {
  test.each([
    [60, 10],
    [120, 35],
    [200, 50],
  ])('fit %d columns and %d rows, and leave no name unsafe', async (columns, rows) => {
    const screen = open(columns, rows);
    screen.push(...TALK);
    await screen.shows('3 flows');
    for (const [key, ...texts] of [
      ['2', /^CLIENT \/ SERVER .* DROPPED/m, /^ns\/web /m, /^└─ ns\/evil \^\[\[2J +80\/TCP +1 /m],
      ['3', 'TIMELINE in UTC: 0.1 s a bar, at most 2 flows, 1 dropped', /^─{31,}$/m, /^ +▓+$/m],
      ['4', 'Top talkers', 'Drops (', /^1 HTTP +6\.8 ms +(6\.8 ms +){1,2}503 1 +ns\/web +ns\/api$/m],
      ['?', 'Keys'],
      ['1', 'SOURCE'],
    ] as [string, ...(string | RegExp)[]][]) {
      screen.press(key);
      await screen.shows(...texts);
      const lines = screen.frame().split('\n');
      expect(Math.max(...lines.map((line) => [...line].length))).toBeLessThanOrEqual(columns);
      expect(lines.length).toBeLessThanOrEqual(rows + 1);
    }
    await screen.quit();
    expect(screen.written()).not.toContain('evil \u001b[2J');
  });

  test('lead to the flows of a connection, whose filter is there to be edited, and back', async () => {
    const screen = open(120, 20);
    screen.push(...TALK);
    await screen.shows('3 flows');
    screen.press('2');
    await screen.shows('└─ ns/api');
    screen.press('/');
    screen.press('└─ ns/api\r');
    await screen.shows('search: └─ ns/api');
    screen.press('\r');
    await screen.shows(
      'Connection (1–',
      '  codes:   503 1',
      'latency: p50 6.8 ms, p90 6.8 ms, p99 6.8 ms, most 7.0 ms',
      'Filter:',
    );
    screen.press('\r');
    await screen.shows(
      'filter: (src.pod = ns/web and dst.pod = ns/api or src.pod = ns/api and dst.pod = ns/web)',
      'ns/api',
      'Esc back',
    );
    expect(screen.frame()).not.toContain('ns/job');
    screen.press('f');
    await screen.shows(/^filter: \(src.pod = ns\/web .* dst.pod = ns\/web\)█/m);
    screen.press(ESCAPE);
    await screen.shows('? help  Esc back');
    screen.press(ESCAPE);
    await screen.shows('Connection (');
    screen.press(ESCAPE);
    await screen.shows('CLIENT / SERVER');
    expect(screen.frame()).not.toContain('src.pod');
    await screen.quit();
  });

  test('name the client of a server that stands at the top', async () => {
    const screen = open(100, 12);
    const destination = (n: number) => ({ namespace: 'ns', pod_name: `server-${n}` });
    screen.push(
      ...Array.from({ length: 20 }, (_, n) => flow(n, { source: web, destination: destination(n) })),
    );
    await screen.shows('20 flows');
    screen.press('2');
    await screen.shows(/^ns\/web .*\n├─ ns\/server/m);
    screen.press('G');
    await screen.shows(/^CLIENT .*\nns\/web .*\n├─ /m, '└─ ns/server');
    expect(screen.frame().split('\n').length).toBeLessThanOrEqual(13);
    await screen.quit();
  });

  test('look at a window of time, which says what it is about', async () => {
    const screen = open(100, 20);
    screen.push(...TALK);
    await screen.shows('3 flows');
    screen.press('3');
    await screen.shows('All: 08:00:00.5 to 08:00:03.6, 3 flows, 1 dropped', 'CLIENT');
    screen.press('n');
    await screen.shows(
      'Window: 08:00:03.5 to 08:00:03.6, 1 flows, 1 dropped',
      '━',
      'time: 08:00:03.5 to 08:00:03.6',
    );
    screen.press('4');
    await screen.shows('time of flows and map: 08:00:03.5');
    screen.press('1');
    await screen.shows('TIME ', 'ns/job');
    expect(screen.frame()).not.toContain('ns/web');
    screen.press(ESCAPE);
    await screen.shows('ns/web');
    await screen.quit();
  });

  test('say what there is not', async () => {
    const screen = open();
    for (const key of ['2', '3']) {
      screen.press(key);
      await screen.shows('Waiting for flows');
    }
    screen.press('2');
    screen.push(flow(1, { source: web, destination: api }));
    await screen.shows('1 flows');
    screen.press('d');
    screen.press('2');
    await screen.shows('Nothing was dropped; d shows all connections again.');
    await screen.quit();
  });
});
