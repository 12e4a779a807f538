import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** The changelog names files of the past. */
const PAGES = globSync(['*.md', '{docs,fixtures,src,test}/**/*.md'], { cwd: ROOT }).filter(
  (page) => page !== 'CHANGELOG.md',
);
/** A path of the checkout; one with a placeholder is none. */
const PATH =
  /(?<![\w/.-])(?:src|test|scripts|docs|schemas|fixtures|bench|scenarios|\.ci|\.vscode)\/[\w./-]*(?![\w./<{*…-])/g;

test.each(PAGES)('every path that %s names exists', (page) => {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const named = (text.match(PATH) ?? []).map((path) => path.replace(/\.$/, ''));
  const links = Array.from(text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g), ([, target = '']) =>
    join(dirname(page), target),
  );
  expect([...named, ...links].filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});
