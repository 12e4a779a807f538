import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { manualPages } from '../scripts/reference/man.ts';
import { referencePages } from '../scripts/reference/markdown.ts';
import { type Page, readPages } from '../scripts/reference/pages.ts';
import { run } from './helpers/run.ts';

const REFERENCE = fileURLToPath(new URL('../docs/reference', import.meta.url));

let pages: Page[];
let manual: Map<string, string>;
let folder: string;
beforeAll(async () => {
  pages = await readPages();
  manual = manualPages(pages, { version: '0.1.0', date: '2026-01-31' });
  folder = mkdtempSync(join(tmpdir(), 'toolkit-man-'));
  mkdirSync(join(folder, 'man1'));
  for (const [name, text] of manual) writeFileSync(join(folder, 'man1', name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('docs/reference says what the commands declare; "npm run reference" writes it again', () => {
  const expected = referencePages(pages);
  const stale = [...expected].flatMap(([name, text]) => {
    const written = readdirSync(REFERENCE).includes(name) ? readFileSync(join(REFERENCE, name), 'utf8') : '';
    return written === text ? [] : [name];
  });
  const left = readdirSync(REFERENCE).filter((name) => !expected.has(name));
  expect({ stale, left, 'written again by': 'npm run reference' }).toEqual({
    stale: [],
    left: [],
    'written again by': 'npm run reference',
  });
});

test('a page says what the help of its command says', async () => {
  const { stdout } = await run(['policy', 'import', '--help'], { columns: 1000 });
  const page = pages.find(({ words }) => words.join(' ') === 'cilium policy import');
  const entries = page?.groups.flatMap(({ flags }) => flags) ?? [];
  expect(entries.length).toBeGreaterThan(20);
  for (const { term, text } of entries)
    expect(stdout).toMatch(new RegExp(`^  ${escaped(term)} +${escaped(text)}$`, 'm'));
  for (const example of page?.examples ?? []) expect(stdout).toContain(`\n  ${example}`);
  expect(stdout).toContain(`Usage: cilium policy import ${page?.usage}\n`);
});

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

test('there is a manual page for each name that a command is called by', () => {
  for (const name of [
    'cilium',
    'hubble',
    'cilium-policy-import',
    'hubble-observe',
    'cilium-observe',
    'hubble-enable',
  ])
    expect([...manual.keys()]).toContain(`${name}.1`);
  expect([...manual.keys()].filter((name) => name.includes('__complete'))).toEqual([]);
});

const has = (program: string) => spawnSync(program, ['--version']).error === undefined;

(has('mandoc') ? test : test.skip)('mandoc finds nothing to say about the manual pages', () => {
  const own = [...manual].filter(([, text]) => text.startsWith('.TH')).map(([name]) => `man1/${name}`);
  const { stdout } = spawnSync('mandoc', ['-Tlint', ...own], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 2 ** 24,
  });
  expect(stdout).toBe('');
});

(has('man') && has('groff') ? test : test.skip)('groff sets the manual pages without a warning', () => {
  const texts = [...manual.values()].filter((text) => text.startsWith('.TH')).join('');
  const { stderr } = spawnSync('groff', ['-man', '-ww', '-z', '-Tutf8'], { input: texts, encoding: 'utf8' });
  expect(stderr).toBe('');
  const shown = execFileSync('man', ['-M', folder, 'cilium-policy-import'], {
    encoding: 'utf8',
    env: { ...process.env, MANPAGER: 'cat', MANWIDTH: '100' },
  });
  expect(shown).toContain('cilium-policy-import - import security policies');
  expect(shown).toContain('--replace-with-labels labels');
});
