// Writes the manual pages of all commands: dist/man/man1, or man1 in the folder that is given.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { manualPages } from './reference/man.ts';
import { readPages } from './reference/pages.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(resolve(process.argv[2] ?? join(root, 'dist/man')), 'man1');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

/** The day of the commit, so that the same source gives the same bytes. */
function editionDate(): string {
  const epoch = process.env.SOURCE_DATE_EPOCH;
  if (epoch) return new Date(Number(epoch) * 1000).toISOString().slice(0, 10);
  try {
    return execFileSync('git', ['log', '-1', '--format=%cs'], { cwd: root, encoding: 'utf8' }).trim();
  } catch {
    return '1970-01-01';
  }
}

rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
const files = manualPages(await readPages(), { version, date: editionDate() });
// As a plugin of kubectl a program has another name.
for (const program of ['cilium', 'hubble']) files.set(`kubectl-${program}.1`, `.so man1/${program}.1\n`);
for (const [name, text] of files) writeFileSync(join(folder, name), text);
console.log(`${folder}: ${files.size} pages`);
