import { execFileSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import MiniSearch from 'minisearch';
import { drawCast, wordsOfCast } from '../scripts/casts/draw.ts';
import { shownRows } from '../scripts/casts/terminal.ts';
import { ELSEWHERE, GROUPS, siteFile, siteLink } from '../scripts/site/pages.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

describe('the site', () => {
  let site: string;
  beforeAll(() => {
    site = mkdtempSync(join(tmpdir(), 'site-'));
    const command = [join(ROOT, 'node_modules/@11ty/eleventy/cmd.cjs'), '--quiet'];
    const config = '--config=scripts/site/eleventy.config.mjs';
    execFileSync(process.execPath, [...command, config], { cwd: ROOT, env: { ...process.env, SITE: site } });
  });
  afterAll(() => rmSync(site, { recursive: true }));

  const pages = () => globSync('**/*.html', { cwd: site });

  test('has every page of the docs, and each leads to files and anchors that are there', () => {
    const expected = [...globSync('docs/**/*.md', { cwd: ROOT }), ...Object.values(ELSEWHERE)];
    expect(pages().toSorted()).toEqual(expected.map((path) => siteFile(path) ?? '').toSorted());
    const wrong: string[] = [];
    const ids = new Map<string, Set<string>>();
    const idsOf = (path: string) => {
      const known =
        ids.get(path) ??
        new Set(
          Array.from(readFileSync(join(site, path), 'utf8').matchAll(/ id="([^"]+)"/g), ([, id = '']) => id),
        );
      ids.set(path, known);
      return known;
    };
    for (const page of pages()) {
      const html = readFileSync(join(site, page), 'utf8');
      for (const [, link = ''] of html.matchAll(/ (?:href|src)="([^"]*)"/g)) {
        if (/^(?:https?|mailto):/.test(link)) continue;
        const [path = '', anchor] = link.split('#');
        const target = path === '' ? page : join(dirname(page), path);
        if (link.startsWith('/') || !existsSync(join(site, target))) wrong.push(`${page}: ${link}`);
        else if (anchor && !idsOf(target).has(decodeURIComponent(anchor))) wrong.push(`${page}: ${link}`);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('loads nothing from elsewhere', () => {
    for (const page of pages()) {
      const html = readFileSync(join(site, page), 'utf8');
      expect(html).not.toMatch(/<(?:script|link|img|iframe)[^>]*(?:src|href)="(?:https?:)?\/\//);
    }
  });

  test('finds sections by their words', () => {
    const script = readFileSync(join(site, 'search-index.js'), 'utf8');
    const json = JSON.parse(/^self\.searchIndex = (.*);\n$/s.exec(script)?.[1] ?? '');
    const index = MiniSearch.loadJSON(json, {
      fields: ['title', 'heading', 'text'],
      storeFields: ['title', 'heading'],
    });
    const first = (words: string) =>
      index
        .search(words, { prefix: true, combineWith: 'AND', boost: { title: 3, heading: 2 } })
        .slice(0, 10)
        .map(({ id }) => String(id));
    expect(first('gitlab pipeline')).toContain('ci.html#in-a-pipeline-of-gitlab');
    expect(first('reading an archive')).toContain('sysdump.html#reading-an-archive');
    expect(first('sarif').some((id) => id.startsWith('ci.html'))).toBe(true);
    expect(first('zqxv')).toEqual([]);
  });

  test('names each page in its contents', () => {
    const named = GROUPS.flatMap(({ pages: own }) => own);
    const all = [...Object.keys(ELSEWHERE), ...globSync('**/*.md', { cwd: join(ROOT, 'docs') })];
    const missing = all.filter(
      (path) => !named.some((name) => path === name || (name.endsWith('/') && path.startsWith(name))),
    );
    expect(missing).toEqual([]);
    expect(named.filter((name) => !all.some((path) => path === name || path.startsWith(name)))).toEqual([]);
  });
});

test.each([
  ['cluster.md#all-nodes', 'hubble.md', 'cluster.html#all-nodes'],
  ['docs/tasks/README.md', 'README.md', 'tasks/index.html'],
  ['../README.md', 'policy.md', 'index.html'],
  ['../../CONTRIBUTING.md', 'decisions/http2.md', '../contributing.html'],
  ['../casts/incident.svg', 'tasks/incident.md', '../casts/incident.svg'],
  ['#below', 'policy.md', '#below'],
  ['https://example.com/', 'policy.md', 'https://example.com/'],
  ['../src/main.ts', 'policy.md', undefined],
])('the link %s of %s is %s on the site', (link, page, target) => {
  expect(siteLink(link, page)).toBe(target);
});

describe('pictures of terminals', () => {
  const CASTS = globSync('docs/casts/*.svg', { cwd: ROOT });
  const pages = globSync('docs/tasks/*.md', { cwd: ROOT }).map((page) =>
    readFileSync(join(ROOT, page), 'utf8'),
  );

  test.each(CASTS)('%s is small, runs nothing, and is shown', (path) => {
    const svg = readFileSync(join(ROOT, path), 'utf8');
    expect(svg.length).toBeLessThan(40_000);
    expect(svg).not.toMatch(/<script|href=|on\w+=|url\(|<image|<foreignObject/);
    expect(wordsOfCast(svg)).toMatch(/^\$ /);
    expect(pages.some((text) => text.includes(`(../casts/${path.slice('docs/casts/'.length)})`))).toBe(true);
  });

  test('show what a terminal would', () => {
    const text = (rows: ReturnType<typeof shownRows>) =>
      rows.map((runs) => runs.map(({ column, text: shown }) => `${column}:${shown}`).join('|'));
    expect(text(shownRows('abcdef', 4))).toEqual(['0:abcd', '0:ef']);
    expect(text(shownRows('a\u001b[31mb\u001b[0mc\nd', 9))).toEqual(['0:a|1:b|2:c', '0:d']);
    expect(text(shownRows('looking…\r\u001b[Kdone', 20))).toEqual(['0:done']);
    expect(text(shownRows('a\nb\n\u001b[2A\u001b[Jc', 20))).toEqual(['0:c']);
    expect(() => shownRows('\u001b]52;c;x\u001b\\', 9)).toThrow('not a sequence that is known');
    expect(() => shownRows('\u001b[48m', 9)).toThrow('not a colour that is known: 48');
  });

  test('are the same each time, and text in them is text', () => {
    const steps = [{ command: 'a <b>', output: '\u001b[1m</text><script>x</script>\u001b[22m\n1 flow' }];
    const svg = drawCast('T "<&', steps, 40);
    expect(drawCast('T "<&', steps, 40)).toBe(svg);
    expect(svg).not.toContain('<script>');
    expect(svg).toContain('aria-label="T &quot;&lt;&amp;"');
    const other = drawCast(
      'T "<&',
      [{ ...steps[0], command: 'a <b>', output: `${steps[0]?.output.replace('1 flow', '2 flow')}` }],
      40,
    );
    expect(wordsOfCast(other)).toBe(wordsOfCast(svg));
  });
});
