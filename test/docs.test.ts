import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { Slugs } from '../scripts/site/slug.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The changelog names files of the past. */
const PAGES = globSync(['*.md', '{docs,fixtures,src,test}/**/*.md'], { cwd: ROOT }).filter(
  (page) => page !== 'CHANGELOG.md',
);
/** A path of the checkout; one with a placeholder is none. */
const PATH =
  /(?<![\w/.-])(?:src|test|scripts|docs|ci|schemas|fixtures|bench|scenarios|\.ci|\.vscode)\/[\w./-]*(?![\w./<{*…-])/g;

/** The anchors of a page, as GitHub makes them of its headings. */
function anchorsOf(page: string): Set<string> {
  const slugs = new Slugs();
  const prose = readFileSync(join(ROOT, page), 'utf8').replaceAll(/^(`{3,})[\s\S]*?^\1$/gm, '');
  const headings = Array.from(prose.matchAll(/^#{1,6} (.+)$/gm), ([, text = '']) =>
    text.replaceAll('`', '').replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
  );
  return new Set(headings.map((heading) => slugs.of(heading)));
}

test.each(PAGES)('every anchor that %s leads to exists', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const links = Array.from(text.matchAll(/\]\(([^)#:]*\.md)?#([^)]+)\)/g));
  const wrong = links.filter(([, target, anchor = '']) => {
    const path = target === undefined ? page : join(dirname(page), target);
    return !anchorsOf(path).has(anchor);
  });
  expect(wrong.map(([link]) => link)).toEqual([]);
});

test.each(PAGES)('every path that %s names exists', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const named = (text.match(PATH) ?? []).map((path) => path.replace(/\.$/, ''));
  const links = Array.from(text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g), ([, target = '']) =>
    join(dirname(page), target),
  );
  expect([...named, ...links].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
