import { createHash } from 'node:crypto';

/** What is kept of a picture beside its file, so that it can be compared on a machine with other fonts. */
export interface PictureNote {
  name: string;
  /** SHA-256 of the file. */
  sha256: string;
  /** What the page says in it, from top to bottom, also where it is scrolled away. */
  words: readonly string[];
}

/** The notes of all pictures. */
export interface PictureNotes {
  /** How wide some text is: tells machines with other fonts apart. */
  fonts: string;
  pictures: readonly PictureNote[];
}

/** A picture, small: the mean red, green and blue of each of its blocks. */
export type Blocks = readonly number[];

/** Blocks of a picture across and down: one of them is about as high as a line of text. */
export const BLOCKS = { columns: 64, rows: 40 };
/** How far a mean may be off (of 255) before its block counts as another one, and how many blocks may be. */
const OFF = 32;
const SHARE = 0.03;

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Where two lists of words part, in words; undefined where they are the same. */
export function wordsDifference(before: readonly string[], now: readonly string[]): string | undefined {
  const at = now.findIndex((word, i) => word !== before[i]);
  if (at === -1 && before.length <= now.length) return undefined;
  const from = at === -1 ? now.length : at;
  const part = (words: readonly string[]) =>
    words.slice(Math.max(0, from - 2), from + 4).join(' | ') || 'nothing';
  return `it shows "${part(before)}", and the page now "${part(now)}"`;
}

/** How two pictures differ that were drawn with the same fonts, in words; undefined where they look the same. */
export function looksDifference(before: Blocks, now: Blocks): string | undefined {
  if (before.length !== now.length) return 'it has another size';
  const blocks = before.length / 3;
  const rows = new Set<number>();
  let other = 0;
  for (let block = 0; block < blocks; block++) {
    const off = [0, 1, 2].some(
      (part) => Math.abs((before[3 * block + part] ?? 0) - (now[3 * block + part] ?? 0)) > OFF,
    );
    if (!off) continue;
    other++;
    rows.add(Math.floor(block / BLOCKS.columns));
  }
  if (other <= blocks * SHARE) return undefined;
  const [first = 0, last = 0] = [Math.min(...rows), Math.max(...rows)];
  const percent = (row: number) => Math.round((100 * row) / BLOCKS.rows);
  return `${Math.round((100 * other) / blocks)} % of it look different, between ${percent(first)} % and ${percent(last + 1)} % of its height`;
}
