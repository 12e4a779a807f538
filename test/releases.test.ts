import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { VERBS } from '../src/cli/usage/reference.ts';
import { atLeast, KNOWN_RELEASES, parseBuild, type Release } from '../src/model/release.ts';
import { releaseOfMaps } from '../src/policy/evaluate/decide/settings.ts';
import { SUITES } from './goldens/index.ts';

const ROOT = join(import.meta.dirname, '..');
const PAGE = readFileSync(join(ROOT, 'docs/releases.md'), 'utf8');

const cellsOf = (line: string) =>
  line
    .slice(1, -1)
    .split('|')
    .map((cell) => cell.trim());

/** The rows of the table that begins with this heading. */
function table(head: string): string[][] {
  const lines = PAGE.split('\n');
  const start = lines.findIndex((line) => line.startsWith(head));
  const end = lines.findIndex((line, i) => i > start && !line.startsWith('|'));
  return [lines[start] ?? '', ...lines.slice(start + 2, end)].map(cellsOf);
}

const [HEAD = [], ...AREAS] = table('| area | 1.9 |');
const BACKING = new Map(
  table('| area | recordings |')
    .slice(1)
    .map(([area = '', recordings = '', sources = '']) => [area, { recordings, sources }]),
);
const COLUMNS = HEAD.slice(1);

interface Cell {
  area: string;
  column: string;
  text: string;
}
const CELLS: Cell[] = AREAS.flatMap(([area = '', ...texts]) =>
  texts.map((text, i) => ({ area, column: COLUMNS[i] ?? '', text })),
);
const named = (text: string) => Array.from(text.matchAll(/`([^`]+)`/g), ([, name = '']) => name);

/** The recordings that stand behind a cell. */
function recordingsOf({ area, column }: Cell): string[] {
  const parts = (BACKING.get(area)?.recordings ?? '').split('; ');
  return named(parts.find((part) => part.startsWith(`${column}: `)) ?? '');
}

/** The releases that a column stands for. */
function releasesOf(column: string): Release[] {
  const [first, last] = column.replace(' snapshot', '').split(/–|, /) as Release[];
  return KNOWN_RELEASES.filter(
    (release) => first && atLeast(release, first) && atLeast(last ?? first, release),
  );
}

test('has a column for every release, and a row for each area once', () => {
  expect(COLUMNS.filter((column) => !column.includes('snapshot')).flatMap(releasesOf)).toEqual(
    KNOWN_RELEASES,
  );
  expect(AREAS.length).toBeGreaterThan(50);
  expect(AREAS.filter((row) => row.length !== HEAD.length)).toEqual([]);
  const areas = AREAS.map(([area]) => area);
  expect(new Set(areas).size).toBe(areas.length);
  expect([...BACKING.keys()]).toEqual(areas);
});

/** Whether a recording stands behind a cell: of the release, or of an agent on the way to it beside which released ones differ. */
const BOTH = /^recorded \((?<version>\d+\.\d+\.\d+\S*)\); released (?<release>\d+\.\d+) from source$/;
const isRecorded = ({ text }: Cell) => text === 'recorded' || BOTH.test(text);

test('a cell has one of the forms', () => {
  const other = CELLS.filter(
    (cell) => !isRecorded(cell) && cell.text !== 'from source' && !/^not supported: \S/.test(cell.text),
  );
  expect(other).toEqual([]);
});

describe('a cell that is recorded', () => {
  const recorded = CELLS.filter(isRecorded).map((cell) => [`${cell.area} in ${cell.column}`, cell] as const);

  test('stands beside its recordings, and no other cell does', () => {
    expect(CELLS.filter((cell) => isRecorded(cell) !== recordingsOf(cell).length > 0)).toEqual([]);
  });

  const tests = globSync('test/policy/**/*.test.ts', { cwd: ROOT }).map((path) =>
    readFileSync(join(ROOT, path), 'utf8'),
  );

  test.each(recorded)('%s', (_, cell) => {
    const files = recordingsOf(cell);
    for (const file of files) expect(existsSync(join(ROOT, 'fixtures/recordings', file))).toBe(true);
    const verbs = named(cell.area);
    // What has no verb is replayed by a test that reads the recording.
    if (verbs.length === 0)
      return expect(
        files.filter((file) => !tests.some((text) => text.includes(`recordings/${file}`))),
      ).toEqual([]);
    const suites = SUITES.filter(({ file }) => files.includes(file));
    expect(suites.map(({ file }) => file).toSorted()).toEqual(files.toSorted());
    const matching = suites.flatMap(({ names, exceptions = {} }) =>
      names().filter((name) => !Object.hasOwn(exceptions, name)),
    );
    // Each of the verbs was run, and at least one of its cases is to match.
    expect(verbs.filter((verb) => !matching.some((name) => `${name} `.startsWith(`${verb} `)))).toEqual([]);
  });
});

test('a release that differs from the agent that was recorded on the way to it is told apart', () => {
  const both = CELLS.flatMap(({ text, column }) => {
    const { version = '', release = '' } = BOTH.exec(text)?.groups ?? {};
    return version === '' ? [] : [{ column, release, build: parseBuild(version) }];
  });
  expect(both.length).toBeGreaterThan(0);
  for (const { column, release, build } of both) {
    expect([column, build?.release, build?.development]).toEqual([release, release, true]);
    const [early, released] = [true, false].map((development) =>
      releaseOfMaps(column as Release, development),
    );
    expect(early).not.toBe(released);
  }
});

test('the recordings of policies that have a loader of their own are read by it', () => {
  expect(readFileSync(join(ROOT, 'test/policy/recorded.ts'), 'utf8')).toContain(
    'recordings/policy-maps-1.17.json',
  );
});

test('an area with cells from source names who asks for the release', () => {
  const wrong = [...BACKING].flatMap(([area, { sources }]) => {
    const files = named(sources);
    const asks = files.filter(
      (file) =>
        existsSync(join(ROOT, file)) &&
        /from '[^']*release\.ts'|\brelease: Release\b|since\??:/.test(readFileSync(join(ROOT, file), 'utf8')),
    );
    return files.length > 0 && asks.length === files.length ? [] : [{ area, files, asks }];
  });
  expect(wrong).toEqual([]);
});

/** Kept where the reference has none: answered from a list, or without an agent. */
const KEPT = ['service get', 'policy validate'];

test('a verb that the reference has not is not told to be recorded or from source', () => {
  const has = ({ since, until }: { since?: Release; until?: Release }, release: Release) =>
    (since === undefined || atLeast(release, since)) && (until === undefined || !atLeast(release, until));
  const wrong = CELLS.filter(({ text }) => !text.startsWith('not supported')).flatMap(({ area, column }) =>
    named(area)
      .filter((verb) => !KEPT.includes(verb))
      .filter((verb) => {
        const known = Object.entries(VERBS).filter(([name]) => `${name} `.startsWith(`${verb} `));
        const there = releasesOf(column).some((release) => known.some(([, span]) => has(span, release)));
        return known.length > 0 && !there;
      })
      .map((verb) => `${verb} in ${column}`),
  );
  expect(wrong).toEqual([]);
});
