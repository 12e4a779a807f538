import { beforeEach, describe, expect, test } from '@jest/globals';
import type { Key } from '../../../../src/cli/line-editor.ts';
import { LiveControls } from '../../../../src/commands/hubble/observe/live-controls.ts';
import { LiveState } from '../../../../src/hubble/views/live.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';

let state: LiveState;
let controls: LiveControls;
let quits: number;
let copied: (string | undefined)[];
beforeEach(() => {
  state = new LiveState();
  quits = 0;
  copied = [];
  controls = new LiveControls(state, {
    compile: async (source) => (source.startsWith('!') ? `bad: ${source}` : (flow) => flow.uuid === source),
    copy: ({ uuid }) => {
      copied.push(uuid);
      return `copied ${uuid}`;
    },
    copyFilter: (filter) => {
      copied.push(filter);
      return `copied ${filter}`;
    },
    explain: async ({ uuid, verdict }) => {
      if (verdict === 'ERROR') throw new Error('policy does not decide this flow');
      return `why ${uuid}\n\nrule 1\n`;
    },
    cells: ({ uuid = '', verdict = '' }) => [uuid, String(verdict)],
    quit: () => quits++,
  });
});

const HEIGHT = { height: 10, columns: 80 };
const add = (from: number, to: number, more: Flow = {}) => {
  for (let n = from; n < to; n++) state.add({ flow: { uuid: String(n), ...more } }, 1000);
};
/** Presses keys one after the other: a name is a key that is no text. */
async function press(...keys: (string | Key)[]): Promise<void> {
  for (const key of keys)
    await (typeof key === 'string' ? controls.press(key, {}, HEIGHT) : controls.press('', key, HEIGHT));
}
/** The line that is being typed. */
const typed = () => controls.typing?.editor.text;
const selected = () => controls.selection.seen?.flow.uuid;

describe('the selection', () => {
  test('is the newest flow while it follows', () => {
    expect([controls.selection.at, controls.selection.seen, controls.selection.following]).toEqual([
      -1,
      undefined,
      true,
    ]);
    add(0, 3);
    expect(selected()).toBe('2');
    add(3, 5);
    expect(selected()).toBe('4');
  });

  test.each<[(string | Key)[], string, boolean]>([
    [['k'], '48', false],
    [[{ upArrow: true }, 'k'], '47', false],
    [['k', 'k', 'j'], '48', false],
    [['k', 'k', { downArrow: true }], '48', false],
    [['k', 'j'], '49', true],
    [['j'], '49', true],
    [[{ pageUp: true }], '40', false],
    [[{ pageUp: true }, { pageUp: true }, { pageDown: true }], '40', false],
    [[{ pageUp: true }, { pageDown: true }], '49', true],
    [['g'], '0', false],
    [['g', 'k'], '0', false],
    [['g', { pageUp: true }, 'j'], '1', false],
    [['g', 'G'], '49', true],
    [[{ home: true }], '0', false],
    [[{ home: true }, { end: true }], '49', true],
  ])('%j selects %s', async (keys, uuid, following) => {
    add(0, 50);
    await press(...keys);
    expect([selected(), controls.selection.following]).toEqual([uuid, following]);
  });

  test('stays on its flow while others come', async () => {
    add(0, 5);
    await press('k');
    add(5, 50);
    expect(selected()).toBe('3');
  });

  test('goes to the next flow when its own is filtered out, to the last when none is left behind it', async () => {
    add(0, 3);
    add(3, 4, { verdict: 'DROPPED' });
    add(4, 9);
    await press('g', 'j', 'd');
    expect(selected()).toBe('3');
    await press('d', 'k', { pageDown: true }, 'd', 'k');
    expect(selected()).toBe('3');
    state.filter = () => true;
    await press('d', 'G', 'k', 'k', 'd');
    expect(selected()).toBe('3');
  });

  test('of an empty list is none, whatever is pressed', async () => {
    await press('k', 'j', 'g', { pageUp: true }, { pageDown: true }, { return: true });
    expect([controls.selection.seen, controls.pane, controls.selection.following]).toEqual([
      undefined,
      'flows',
      true,
    ]);
  });
});

describe('the panes', () => {
  test.each<[(string | Key)[], string]>([
    [['?'], 'help'],
    [['?', '?'], 'flows'],
    [['t'], 'top'],
    [['t', 't'], 'flows'],
    [['t', '?'], 'help'],
    [['t', '?', { escape: true }], 'top'],
    [['2'], 'map'],
    [['3'], 'timeline'],
    [['4'], 'top'],
    [['4', '1'], 'flows'],
    [[{ tab: true }], 'map'],
    [[{ tab: true }, { tab: true }, { tab: true }, { tab: true }], 'flows'],
    [[{ tab: true, shift: true }], 'top'],
    [['2', { escape: true }], 'flows'],
    [['3', { return: true }], 'map'],
    [['3', { return: true }, { escape: true }], 'timeline'],
    [['3', { return: true }, { tab: true }], 'top'],
    [['t', { escape: true }], 'flows'],
    [[{ return: true }], 'details'],
    [[{ return: true }, { escape: true }], 'flows'],
  ])('after %j: %s', async (keys, pane) => {
    add(0, 1);
    await press(...keys);
    expect(controls.pane).toBe(pane);
  });

  test('details stay with their flow and scroll between their ends', async () => {
    add(0, 1, Object.fromEntries(Array.from({ length: 12 }, (_, i) => [`field${i}`, i])));
    await press({ return: true });
    add(1, 5);
    expect(selected()).toBe('0');
    await press('k');
    expect(controls.scroll).toBe(0);
    await press('j', { downArrow: true });
    expect(controls.scroll).toBe(2);
    // 13 lines, 10 of which are on the screen.
    await press('j', 'j', 'j');
    expect(controls.scroll).toBe(3);
    await press({ upArrow: true });
    expect(controls.scroll).toBe(2);
    await press({ escape: true }, { return: true });
    expect([controls.scroll, selected()]).toEqual([0, '0']);
  });

  test('details that fit do not scroll', async () => {
    add(0, 1);
    await press({ return: true }, 'j');
    expect(controls.scroll).toBe(0);
  });
});

describe('a pause', () => {
  test('ends with the key that began it, and with G', async () => {
    add(0, 1);
    await press(' ');
    expect([state.paused, controls.selection.following]).toEqual([true, false]);
    await press(' ');
    expect([state.paused, controls.selection.following]).toEqual([false, true]);
    await press(' ', 'G');
    expect(state.paused).toBe(false);
  });
});

describe('a filter', () => {
  test('is typed, mended and applied', async () => {
    add(0, 30);
    await press('f', '2', '7', '3', { backspace: true }, { backspace: true }, '6');
    expect(typed()).toBe('26');
    await press({ return: true });
    expect([controls.typing, controls.filter, selected(), state.visible.length]).toEqual([
      undefined,
      '26',
      '26',
      1,
    ]);
  });

  test('is typed on from the one that is applied; Esc leaves that as it is', async () => {
    await press('f', '1', { return: true }, 'f', '2');
    expect(typed()).toBe('12');
    await press({ escape: true });
    expect([controls.typing, controls.filter]).toEqual([undefined, '1']);
  });

  test('takes keys that mean something elsewhere, and none that are no text', async () => {
    await press('f', 'q', '?', 't', ' ', 'd', { upArrow: true });
    await controls.press('a', { ctrl: true }, HEIGHT);
    await controls.press('a', { meta: true }, HEIGHT);
    expect([typed(), quits, controls.pane]).toEqual(['q?t d', 0, 'flows']);
  });

  test('that is wrong changes nothing, and stays to be mended', async () => {
    add(0, 3);
    await press('f', '1', { return: true }, 'f', { backspace: true }, '!', { return: true });
    expect([controls.problem, typed(), controls.filter, state.visible.length]).toEqual([
      'bad: !',
      '!',
      '1',
      1,
    ]);
    await press({ backspace: true });
    expect(controls.problem).toBe('');
    await press('2', { return: true });
    expect([controls.problem, controls.filter, selected()]).toEqual(['', '2', '2']);
  });

  test('that is wrong: Esc takes the error away, then the line', async () => {
    await press('f', '!', { return: true }, { escape: true });
    expect([controls.problem, typed()]).toEqual(['', '!']);
    await press({ escape: true });
    expect([controls.problem, controls.typing, controls.filter]).toEqual(['', undefined, '']);
  });

  test('comes back out of the history', async () => {
    await press('f', '1', { return: true }, 'f', { backspace: true }, '2', { return: true });
    await press('f', { upArrow: true }, { upArrow: true });
    expect(typed()).toBe('1');
    await press({ return: true });
    expect(controls.filter).toBe('1');
  });

  test('may arrive in one go with what ends it', async () => {
    await press('f1\r');
    expect([controls.filter, controls.typing]).toEqual(['1', undefined]);
    await press('f', '2\r');
    expect(controls.filter).toBe('12');
  });

  test('that is empty lets everything pass', async () => {
    add(0, 3);
    await press('f', '1', { return: true }, 'f', { backspace: true }, ' ', { return: true });
    expect([controls.filter, state.visible.length]).toEqual(['', 3]);
  });
});

describe('a search', () => {
  test('goes up from the newest flow to those that hold the text, and back down', async () => {
    add(0, 25);
    await press('/', '1', { return: true });
    expect([controls.search, selected(), controls.selection.following]).toEqual(['1', '21', false]);
    await press('n');
    expect(selected()).toBe('19');
    await press('n', 'N');
    expect(selected()).toBe('19');
    await press('N', 'N');
    expect([selected(), controls.said]).toEqual(['21', 'No more "1" below.']);
    await press({ escape: true });
    expect([controls.search, controls.said]).toEqual(['', '']);
  });

  test('says that nothing holds the text, and without a text what takes one', async () => {
    add(0, 3);
    await press('n');
    expect(controls.said).toBe('There is nothing to search for: / takes a text.');
    await press('/x\r');
    expect([selected(), controls.selection.following, controls.said]).toEqual(['2', true, 'No "x" above.']);
  });

  test('without a text looks again for the last one', async () => {
    add(0, 3, { verdict: 'DROPPED' });
    await press('/dropped\r', { escape: true }, '/\r');
    expect([controls.search, selected()]).toEqual(['dropped', '2']);
  });
});

describe('a flow', () => {
  test('is copied, and that is said until the next key', async () => {
    add(0, 3);
    await press('k', 'y');
    expect([copied, controls.said]).toEqual([['1'], 'copied 1']);
    await press('j');
    expect(controls.said).toBe('');
  });

  test('is explained, and stays selected meanwhile', async () => {
    add(0, 3);
    await press('p');
    add(3, 9);
    expect([controls.pane, controls.lines(80), selected()]).toEqual(['why', ['why 2', '', 'rule 1'], '2']);
    await press({ escape: true });
    expect(controls.pane).toBe('flows');
  });

  test('that policy does not decide is no error of the screen', async () => {
    add(0, 1, { verdict: 'ERROR' });
    await press('p');
    expect(controls.lines(20)).toEqual(['policy does not', '  decide this flow']);
  });
});

test('Enter on a row of the rankings filters by it', async () => {
  const compiled: string[] = [];
  controls = new LiveControls(state, {
    ...controls.actions,
    compile: async (source) => {
      compiled.push(source);
      return () => true;
    },
  });
  add(0, 3, { source: { pod_name: 'web', namespace: 'shop' }, l4: { TCP: { destination_port: 80 } } });
  add(3, 4, { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' });
  await press('t', { return: true });
  expect([controls.pane, controls.filter]).toEqual([
    'flows',
    'src.host = shop/web and not dst.host and dst.port = 80',
  ]);
  await press('t', { end: true }, { return: true });
  expect(compiled).toEqual([
    'src.host = shop/web and not dst.host and dst.port = 80',
    'reason = POLICY_DENIED and not src.host and not dst.host',
  ]);
});

test('w wraps and cuts lines; a key that is none says so', async () => {
  await press('w');
  expect(controls.wrapped).toBe(true);
  await press('w', 'x');
  expect([controls.wrapped, controls.said]).toEqual([false, '"x" is no key here; ? lists them.']);
});

test('q and Ctrl-C quit, Ctrl-C while typing as well', async () => {
  await press('q');
  await controls.press('c', { ctrl: true }, HEIGHT);
  await press('/');
  await controls.press('c', { ctrl: true }, HEIGHT);
  expect(quits).toBe(3);
  await press('c');
  expect(quits).toBe(3);
});

/** Between three ends: web and api talk, job is dropped by db. */
function addTraffic(): void {
  const pod = (name: string) => ({ pod_name: name, namespace: 'shop' });
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 8, 0, second)).toISOString();
  const l4 = { TCP: { source_port: 40_000, destination_port: 80 } };
  const there = { source: pod('web'), destination: pod('api'), is_reply: false, l4 };
  const back = {
    source: pod('api'),
    destination: pod('web'),
    is_reply: true,
    l7: { type: 'RESPONSE', http: { code: 500 }, latency_ns: '2000000' } as const,
  };
  add(0, 2, { ...there, time: at(0) });
  add(2, 4, { ...back, time: at(0) });
  const lost = { verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' } as const;
  add(4, 7, { ...lost, source: pod('job'), destination: pod('db'), is_reply: false, l4, time: at(5) });
}

/** The chosen row of the map. */
const chosenRow = () => controls.traffic.row(HEIGHT.columns)?.text.replace(/ {2}.*/, '');
const WEB_API = '(src.pod = shop/web and dst.pod = shop/api or src.pod = shop/api and dst.pod = shop/web)';

describe('the map', () => {
  beforeEach(() => {
    addTraffic();
    controls = new LiveControls(state, { ...controls.actions, compile: async () => () => true });
  });

  test('leads from a connection to its flows and to what decided, and Esc leads back up', async () => {
    await press('f', 'x', { return: true }, 'k', '2', 'j', { return: true });
    expect([controls.pane, controls.lines(80)[0]]).toEqual(['edge', 'From, to:  shop/web → shop/api']);
    await press({ return: true });
    expect([controls.pane, controls.filter, controls.selection.following]).toEqual(['flows', WEB_API, true]);
    await press('p');
    expect([controls.pane, controls.why[0]]).toEqual(['why', 'why 6']);
    await press({ escape: true });
    expect(controls.pane).toBe('flows');
    await press({ escape: true });
    expect([controls.pane, controls.filter, selected()]).toEqual(['edge', 'x', '5']);
    await press({ escape: true });
    expect([controls.pane, chosenRow()]).toEqual(['map', '└─ shop/api']);
    await press({ escape: true });
    expect(controls.pane).toBe('flows');
  });

  test('keeps a filter that was changed on the way', async () => {
    await press('2', 'j', { return: true }, { return: true }, 'f', '!', { return: true });
    await press({ escape: true });
    expect([controls.pane, controls.filter]).toEqual(['edge', `${WEB_API}!`]);
  });

  test('leads from a client to its flows with everybody', async () => {
    await press('2', { return: true });
    expect([controls.pane, controls.filter]).toEqual(['flows', '(src.pod = shop/web or dst.pod = shop/web)']);
  });

  test('keeps its row while others come before it', async () => {
    await press('2', 'j');
    add(9, 20, { source: { pod_name: 'a', namespace: 'a' }, destination: { pod_name: 'b', namespace: 'a' } });
    state.freshen();
    expect([controls.traffic.at(80), chosenRow()]).toEqual([3, '└─ shop/api']);
    await press('k', 'k', 'k', 'k', 'k');
    expect(chosenRow()).toBe('a/a');
    await press('G');
    expect(chosenRow()).toBe('└─ shop/db');
  });

  test('explains a drop of its row, and says where there was none', async () => {
    await press('2', 'p');
    expect(controls.said).toBe('None of its flows was dropped, as far as they are kept; Enter shows them.');
    await press('G', 'p');
    expect([controls.pane, controls.why[0]]).toEqual(['why', 'why 4']);
    await press('y', { escape: true }, 'y');
    expect([controls.pane, copied]).toEqual([
      'map',
      ['4', '(src.pod = shop/job and dst.pod = shop/db or src.pod = shop/db and dst.pod = shop/job)'],
    ]);
  });

  test('has only what was dropped with d, and is searched downward', async () => {
    await press('2', 'd');
    expect(controls.traffic.map(80).rows.map(({ text }) => text.replace(/ {2}.*/, ''))).toEqual([
      'shop/job',
      '└─ shop/db',
    ]);
    await press('d', '/', 'd', 'b', { return: true });
    expect([controls.pane, chosenRow()]).toEqual(['map', '└─ shop/db']);
    await press('n');
    expect(controls.said).toBe('No more "db" below.');
    await press({ escape: true });
    expect([controls.pane, controls.search]).toEqual(['map', '']);
    await press('/', 'd', 'b', { return: true }, { return: true }, { return: true });
    expect([controls.pane, controls.search]).toEqual(['flows', '']);
  });

  test('of which nothing is there leads nowhere', async () => {
    controls = new LiveControls(new LiveState(), controls.actions);
    await press('2', 'j', { return: true });
    expect([controls.pane, controls.said]).toEqual(['map', 'There is nothing here.']);
    await press('p', 'y', '3', 'l', '+', 'n', { return: true });
    expect(controls.pane).toBe('map');
  });
});

describe('the timeline', () => {
  beforeEach(addTraffic);
  const looked = () => {
    const { fromMs, toMs, flows, dropped } = controls.traffic.looked ?? {};
    const clock = (ms = 0) => new Date(ms).toISOString().slice(17, 21);
    return [clock(fromMs), clock(toMs), flows, dropped];
  };

  test.each<[(string | Key)[], unknown[]]>([
    [[], ['00.0', '05.1', 7, 3]],
    [['l'], ['00.0', '00.1', 4, 0]],
    [['h'], ['05.0', '05.1', 3, 3]],
    [
      [{ leftArrow: true }, { leftArrow: true }],
      ['04.9', '05.0', 0, 0],
    ],
    [
      [{ rightArrow: true }, { rightArrow: true }, { leftArrow: true }],
      ['00.0', '00.1', 4, 0],
    ],
    [
      ['l', '+', '+'],
      ['00.0', '00.4', 4, 0],
    ],
    [
      ['l', '+', '+', '-'],
      ['00.0', '00.2', 4, 0],
    ],
    [
      ['h', '+'],
      ['04.9', '05.1', 3, 3],
    ],
    [
      ['h', 'h', 'h', 'n'],
      ['05.0', '05.1', 3, 3],
    ],
    [
      ['n', 'n'],
      ['05.0', '05.1', 3, 3],
    ],
    [
      ['h', 'g'],
      ['00.0', '00.1', 4, 0],
    ],
    [
      ['l', 'G'],
      ['05.0', '05.1', 3, 3],
    ],
    [
      ['h', { escape: true }],
      ['00.0', '05.1', 7, 3],
    ],
  ])('after %j', async (keys, want) => {
    await press('3', ...keys);
    expect([controls.pane, looked()]).toEqual(['timeline', want]);
  });

  test('leads to the map and the flows of its window, and Esc takes that away', async () => {
    await press('3', 'n', { return: true });
    const { rows, sum } = controls.traffic.map(200);
    expect([controls.pane, rows.length, sum.split(',').slice(0, 2)]).toEqual([
      'map',
      2,
      ['3 flows', ' 3 dropped'],
    ]);
    await press('1');
    expect(state.visible.map(({ flow }) => flow.uuid)).toEqual(['4', '5', '6']);
    await press({ escape: true });
    expect(state.visible.length).toBe(7);
  });

  test.each(['+275760-09-13T00:00:00Z', '-271821-04-20T00:00:00Z', '0001-01-01T00:00:00Z'])(
    'takes %s',
    async (time) => {
      add(20, 21, { time, source: { pod_name: 'a' }, IP: { source: '1.1.1.1', destination: '2.2.2.2' } });
      for (const key of ['h', 'l', 'g', 'G', '+', '-', 'n', 'N']) {
        await press('3', key);
        expect(controls.traffic.map(80).sum).toMatch(/^\d+ flows/);
        expect(controls.traffic.looked).toBeDefined();
      }
    },
  );

  test('says that there is no other drop', async () => {
    await press('3', 'n', 'n');
    expect(controls.said).toBe('Nothing was dropped after it.');
    await press('N');
    expect(controls.said).toBe('Nothing was dropped before it.');
  });
});

test('the rankings lead to connections with requests as well', async () => {
  addTraffic();
  await press('4', 'G');
  expect(controls.top.layer7().rows[0]?.text).toMatch(/^2 HTTP .* 500 2 +shop\/web +shop\/api$/);
  await press({ return: true });
  expect([controls.pane, controls.lines(80)[0]]).toEqual(['edge', 'From, to:  shop/web → shop/api']);
  await press({ escape: true });
  expect(controls.pane).toBe('top');
});

test('keys of one pane are none of another', async () => {
  add(0, 1);
  for (const [pane, key] of [
    ['3', 'p'],
    ['4', 'y'],
    ['1', 'h'],
    ['2', '+'],
  ] as const) {
    await press(pane, key);
    expect(controls.said).toBe(`"${key}" is no key here; ? lists them.`);
  }
});
