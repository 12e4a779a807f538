import { expect, test } from '@jest/globals';
import { cleanPath } from '../../src/lib/clean-path.ts';

test.each([
  ['default/web', 'default/web'],
  ['a.b/c..d', 'a.b/c..d'],
  ['.a/b.', '.a/b.'],
  ['x/', 'x'],
  ['x//y/', 'x/y'],
  ['./a', 'a'],
  ['a/./b', 'a/b'],
  ['a/../b', 'b'],
  ['../a', '../a'],
  ['../../a', '../../a'],
  ['a/../../b', '../b'],
  ['/../a', '/a'],
  ['//a', '/a'],
  ['a/..', '.'],
  ['/', '/'],
  ['.', '.'],
])('%s means %s', (path, clean) => expect(cleanPath(path)).toBe(clean));
