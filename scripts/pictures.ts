/**
 * Makes the pictures of the page in docs/pictures, of a capture and rules that are kept in fixtures/page. Where all look the
 * same nothing is written. With --check nothing is written, and one that shows something else than the page does today ends
 * with exit code 1. Needs Chromium: /usr/bin/chromium, or the path in CHROMIUM.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { checkPictures, NOTES } from './pictures/check.ts';
import { type PictureNotes, sha256 } from './pictures/compare.ts';
import { REPORT, takePictures } from './pictures/take.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const pictures = join(root, 'docs/pictures');
const work = mkdtempSync(join(tmpdir(), 'pictures-'));
const report = join(work, 'report.html');
const loader = fileURLToPath(import.meta.resolve('tsx'));
const words = ['--import', loader, join(root, 'src/bin/hubble.ts'), 'report', ...REPORT, '-o', report];
execFileSync(process.execPath, words, { cwd: join(root, 'fixtures/page'), stdio: 'inherit' });
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const problems = existsSync(join(pictures, NOTES))
    ? await checkPictures(browser, report, pictures)
    : ['there are no pictures yet'];
  for (const problem of problems) console.log(problem);
  if (process.argv.includes('--check')) {
    if (problems.length > 0) {
      console.log('npm run pictures makes them again. Look at each before it is kept.');
      process.exitCode = 1;
    }
  } else if (problems.length > 0) {
    const { fonts, taken } = await takePictures(browser, report);
    const notes: PictureNotes = {
      fonts,
      pictures: taken.map(({ name, png, words: said }) => ({ name, sha256: sha256(png), words: said })),
    };
    for (const { name, png } of taken) writeFileSync(join(pictures, `${name}.png`), png);
    const lines = notes.pictures.map((note) => `    ${JSON.stringify(note)}`).join(',\n');
    writeFileSync(
      join(pictures, NOTES),
      `{\n  "fonts": ${JSON.stringify(fonts)},\n  "pictures": [\n${lines}\n  ]\n}\n`,
    );
    for (const { name } of taken)
      console.log(`${name}.png: ${Math.round(readFileSync(join(pictures, `${name}.png`)).length / 1000)} kB`);
  }
} finally {
  await browser.close();
  rmSync(work, { recursive: true });
}
