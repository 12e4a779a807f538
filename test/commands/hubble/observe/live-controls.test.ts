import { beforeEach, describe, expect, test } from '@jest/globals';
import { type Key, LiveControls } from '../../../../src/commands/hubble/observe/live-controls.ts';
import { LiveState } from '../../../../src/hubble/views/live.ts';
import type { Flow } from '../../../../src/model/hubble.gen.ts';

let state: LiveState;
let controls: LiveControls;
let quits: number;
beforeEach(() => {
  state = new LiveState();
  quits = 0;
  controls = new LiveControls(
    state,
    async (source) => (source.startsWith('!') ? `bad: ${source}` : (flow) => flow.uuid === source),
    () => quits++,
  );
});

const HEIGHT = 10;
const add = (from: number, to: number, more: Flow = {}) => {
  for (let n = from; n < to; n++) state.add({ flow: { uuid: String(n), ...more } }, 1000);
};
/** Presses keys one after the other: a name is a key that is no text. */
async function press(...keys: (string | Key)[]): Promise<void> {
  for (const key of keys)
    await (typeof key === 'string' ? controls.press(key, {}, HEIGHT) : controls.press('', key, HEIGHT));
}
const selected = () => controls.seen?.flow.uuid;

describe('the selection', () => {
  test('is the newest flow while it follows', () => {
    expect([controls.at, controls.seen, controls.following]).toEqual([-1, undefined, true]);
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
  ])('%j selects %s', async (keys, uuid, following) => {
    add(0, 50);
    await press(...keys);
    expect([selected(), controls.following]).toEqual([uuid, following]);
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
    expect([controls.seen, controls.pane, controls.following]).toEqual([undefined, 'flows', true]);
  });
});

describe('the panes', () => {
  test.each<[(string | Key)[], string]>([
    [['?'], 'help'],
    [['?', '?'], 'flows'],
    [['t'], 'top'],
    [['t', 't'], 'flows'],
    [['t', '?'], 'help'],
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
    expect([state.paused, controls.following]).toEqual([true, false]);
    await press(' ');
    expect([state.paused, controls.following]).toEqual([false, true]);
    await press(' ', 'G');
    expect(state.paused).toBe(false);
  });
});

describe('a filter', () => {
  test('is typed, mended and applied', async () => {
    add(0, 30);
    await press('/', '2', '7', '3', { backspace: true }, { delete: true }, '6');
    expect(controls.typing).toBe('26');
    await press({ return: true });
    expect([controls.typing, controls.filter, selected(), state.visible.length]).toEqual([
      undefined,
      '26',
      '26',
      1,
    ]);
  });

  test('is typed on from the one that is applied; Esc leaves that as it is', async () => {
    await press('/', '1', { return: true }, '/', '2');
    expect(controls.typing).toBe('12');
    await press({ escape: true });
    expect([controls.typing, controls.filter]).toEqual([undefined, '1']);
  });

  test('takes keys that mean something elsewhere, and none that are no text', async () => {
    await press('/', 'q', '?', 't', ' ', 'd', { upArrow: true });
    await controls.press('a', { ctrl: true }, HEIGHT);
    await controls.press('a', { meta: true }, HEIGHT);
    await controls.press('\u0001', {}, HEIGHT);
    expect([controls.typing, quits, controls.pane]).toEqual(['q?t d', 0, 'flows']);
  });

  test('that is wrong changes nothing, and says so until one is right', async () => {
    add(0, 3);
    await press('/', '1', { return: true }, '/', { backspace: true }, '!', { return: true });
    expect([controls.problem, controls.filter, state.visible.length]).toEqual(['bad: !', '1', 1]);
    await press('/', { backspace: true }, '2', { return: true });
    expect([controls.problem, controls.filter, selected()]).toEqual(['', '2', '2']);
  });

  test('that is empty lets everything pass', async () => {
    add(0, 3);
    await press('/', '1', { return: true }, '/', { backspace: true }, ' ', { return: true });
    expect([controls.filter, state.visible.length]).toEqual(['', 3]);
  });
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
