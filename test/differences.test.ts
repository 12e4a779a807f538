import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { SUITES } from './goldens/index.ts';

const ROOT = join(import.meta.dirname, '..');
const HERE = 'test/differences.test.ts';

interface Row {
  id: string;
  cells: string[];
}

/** The rows of every table, without headers and rules. */
function rows(): Row[] {
  return readFileSync(join(ROOT, 'docs/differences.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|') && !/^\| id \||^\|---/.test(line))
    .map((line) => {
      const [id = '', ...cells] = line
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim());
      return { id, cells };
    });
}

function filesBelow(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .map((path) => `${folder}/${path}`)
    .filter((path) => path.endsWith('.ts') && path !== HERE);
}

/** `id` → where it is named; `astray` are names that stand above no test. */
function named(): { ids: Map<string, string>; astray: string[] } {
  const ids = new Map<string, string>();
  const astray: string[] = [];
  for (const file of filesBelow('test')) {
    const lines = readFileSync(join(ROOT, file), 'utf8').split('\n');
    lines.forEach((line, i) => {
      const [, list] = /differs: ([a-z0-9-]+(?:, [a-z0-9-]+)*)/.exec(line) ?? [];
      if (!list) return;
      const place = `${file}:${i + 1}`;
      for (const id of list.split(', ')) ids.set(id, place);
      const below = lines.slice(i + 1).find((next) => !next.trim().startsWith('//'));
      const aboveTest = /^\s*(?:test|describe|kernelTest|onKernel)\b/.test(below ?? '');
      if (file.startsWith('test/goldens/') ? !line.includes("'") : !aboveTest) astray.push(place);
    });
  }
  return { ids, astray };
}

test('every difference has an id of its own and all cells that matter', () => {
  const all = rows();
  expect(all.length).toBeGreaterThan(80);
  expect(all.filter(({ id }) => !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(id))).toEqual([]);
  expect(all.filter(({ id }, i) => all.findIndex((other) => other.id === id) !== i)).toEqual([]);
  const [where, reference, here] = [0, 1, 2];
  expect(
    all.filter(({ cells }) => cells.length !== 4 || !cells[where] || !cells[reference] || !cells[here]),
  ).toEqual([]);
});

test('every recorded case that is not matched is a difference, or rests on what no recording holds', () => {
  const reasons = SUITES.flatMap(({ file, exceptions = {} }) =>
    Object.entries(exceptions).map(([name, reason]) => `${file}: ${name}: ${reason}`),
  );
  expect(reasons.length).toBeGreaterThan(20);
  expect(
    reasons.filter(
      (reason) => !/\(differs: [a-z0-9-]+\)/.test(reason) && !reason.includes('the recording does not hold'),
    ),
  ).toEqual([]);
});

test('every difference is shown by a test, and every test that shows one has its row', () => {
  const { ids, astray } = named();
  const written = rows().map(({ id }) => id);
  expect({
    untested: written.filter((id) => !ids.has(id)),
    unwritten: [...ids].filter(([id]) => !written.includes(id)),
    astray,
  }).toEqual({ untested: [], unwritten: [], astray: [] });
});
