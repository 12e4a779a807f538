import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { looksDifference, type PictureNotes, sha256, wordsDifference } from './compare.ts';
import { blocksOf, takePictures } from './take.ts';

/** The notes beside the pictures. */
export const NOTES = 'pictures.json';

/**
 * What of the pictures in a folder no longer is what a report looks like, a sentence each. Fonts differ by machine: where they
 * are not those of the pictures, what the page says is compared, and not how it looks.
 */
export async function checkPictures(browser: Browser, report: string, folder: string): Promise<string[]> {
  const notes = JSON.parse(readFileSync(join(folder, NOTES), 'utf8')) as PictureNotes;
  const { fonts, taken } = await takePictures(browser, report);
  const problems: string[] = [];
  for (const { name, png, words } of taken) {
    const note = notes.pictures.find((each) => each.name === name);
    if (!note) {
      problems.push(`${name}.png is not there`);
      continue;
    }
    const kept = readFileSync(join(folder, `${name}.png`));
    const found =
      (sha256(kept) === note.sha256 ? undefined : `${NOTES} was made of another file`) ??
      wordsDifference(note.words, words) ??
      (fonts === notes.fonts
        ? looksDifference(await blocksOf(browser, kept), await blocksOf(browser, png))
        : undefined);
    if (found) problems.push(`${name}.png: ${found}`);
  }
  return problems;
}
