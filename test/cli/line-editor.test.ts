import { describe, expect, test } from '@jest/globals';
import { type Key, keysOf, LineEditor, LineHistory } from '../../src/cli/line-editor.ts';

const ctrl = (letter: string): [string, Key] => [letter, { ctrl: true }];
const alt = (letter: string): [string, Key] => [letter, { meta: true }];
const key = (...names: (keyof Key)[]): [string, Key] => [
  '',
  Object.fromEntries(names.map((name) => [name, true])),
];

/** The line after some keys, with a bar where the cursor is. */
function after(text: string, ...keys: [string, Key][]): string {
  const editor = new LineEditor(new LineHistory(), text);
  for (const [input, pressed] of keys) editor.press(input, pressed);
  return `${editor.before}|${editor.after}`;
}

describe('a line that is edited', () => {
  test.each<[string, string, [string, Key][], string]>([
    ['takes text where the cursor is', 'ac', [key('leftArrow'), ['b', {}]], 'ab|c'],
    ['takes what is pasted, without line breaks', '', [['a\r\nb\u001b', {}]], 'a b |'],
    ['goes to its beginning with Ctrl-A', 'dst.port = 80', [ctrl('a')], '|dst.port = 80'],
    ['goes to its beginning with Home', 'dst.port', [key('home')], '|dst.port'],
    ['goes to its end with Ctrl-E', 'ab', [ctrl('a'), ctrl('e')], 'ab|'],
    ['goes to its end with End', 'ab', [key('home'), key('end')], 'ab|'],
    ['goes back a word with Alt-B', 'dst.port = 80', [alt('b'), alt('b')], 'dst.|port = 80'],
    ['goes on a word with Ctrl-→', 'dst.port', [key('home'), key('ctrl', 'rightArrow')], 'dst|.port'],
    ['loses what is before the cursor with Ctrl-U', 'ab cd', [key('leftArrow'), ctrl('u')], '|d'],
    ['loses what is behind it with Ctrl-K', 'ab cd', [alt('b'), ctrl('k')], 'ab |'],
    ['loses a whole word with Ctrl-W', 'a dst.port ', [ctrl('w')], 'a |'],
    ['loses a part of one with Alt-Backspace', 'a dst.port', [key('meta', 'backspace')], 'a dst.|'],
    ['loses a character to either side', 'abc', [key('leftArrow'), key('backspace'), key('delete')], 'a|'],
    ['counts a character beyond 16 bits as one', 'a😀', [key('backspace')], 'a|'],
  ])('%s', (_, text, keys, line) => {
    expect(after(text, ...keys)).toBe(line);
  });

  test('brings back what was typed before, and what was begun', () => {
    const history = new LineHistory();
    for (const line of ['one', 'two', 'one', '']) history.add(line);
    const editor = new LineEditor(history);
    editor.press('new', {});
    const seen = (['upArrow', 'upArrow', 'upArrow', 'downArrow', 'downArrow', 'downArrow'] as const).map(
      (name) => {
        editor.press(...key(name));
        return editor.text;
      },
    );
    expect(seen).toEqual(['one', 'two', 'two', 'one', 'new', 'new']);
  });
});

test('what comes in one go is taken apart into keys', () => {
  expect(keysOf('a\nb\u0017\u007f\r')).toEqual([
    ['a', {}],
    [' ', {}],
    ['b', {}],
    ['w', { ctrl: true }],
    ['', { backspace: true }],
    ['', { return: true }],
  ]);
});
