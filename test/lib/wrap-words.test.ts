import { expect, test } from '@jest/globals';
import { wrapWords } from '../../src/lib/wrap-words.ts';

test.each([
  ['short', 10, 'short'],
  ['one two three four', 9, 'one two\nthree\nfour'],
  ['Run "cilium endpoint list" for them.', 24, 'Run\n"cilium endpoint list"\nfor them.'],
  ['As in: cilium policy get -o json', 14, 'As in:\ncilium policy get -o json'],
  ['Run "cilium policy get -o json".', 14, 'Run\n"cilium policy get -o json".'],
  ['a "quote that is longer than a line"', 12, 'a "quote\nthat is\nlonger than\na line"'],
  ['/a/path/without/any/blank is long', 10, '/a/path/without/any/blank\nis long'],
  ['  dst.prt = 1 and what is set in\n  ^', 10, '  dst.prt = 1 and what is set in\n  ^'],
])('%j in %d columns', (text, width, wrapped) => {
  expect(wrapWords(text, width)).toBe(wrapped);
});
