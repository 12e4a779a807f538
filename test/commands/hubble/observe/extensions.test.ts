import { expect, test } from '@jest/globals';
import {
  chooseView,
  type ExtensionFlags,
  usesExtensions,
} from '../../../../src/commands/hubble/observe/extensions.ts';

const flags = (more: Partial<ExtensionFlags> = {}): ExtensionFlags => ({ top: [], reconnect: true, ...more });

// differs: extra-verbs
test.each<Partial<ExtensionFlags>>([
  { where: 'reply' },
  { explain: true },
  { top: ['src'] },
  { collapse: true },
  { sort: true },
  { tui: true },
  { lossSummary: true },
  { maxLoss: 0 },
])('%j is beyond the reference', (more) => expect(usesExtensions(flags(more))).toBe(true));

test('how a stream is followed is not: it changes nothing about the flows', () => {
  expect(usesExtensions(flags({ reconnect: false, maxReconnects: 3, topRows: 5 }))).toBe(false);
});

test.each([
  [{}, 'lines'],
  [{ tui: true }, 'tui'],
  [{ top: ['src'] }, 'top'],
  [{ collapse: true }, 'connections'],
  [{ where: 'reply', sort: true }, 'lines'],
])('%j is shown as %s', (more, view) => expect(chooseView(flags(more))).toBe(view));

test('two views at once are refused', () => {
  expect(() => chooseView(flags({ collapse: true, top: ['src'] }))).toThrow(
    '--top and --collapse cannot go together',
  );
});
