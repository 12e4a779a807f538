import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { parseJson } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import { recordedRun } from '../kube/replay.ts';
import { NO_ENTRIES, type Pairs } from './maps.ts';

/** What an archive has of a list: text of a table, or JSON. */
export interface RecordedList {
  text: string;
  /** What stood on stderr. */
  stderr: string;
  /** Undefined where the text is a table. */
  value: unknown;
  /** The words, and what they printed on which line: the place of an error. */
  place(line?: number): string;
}

/**
 * What the agent's own program printed of a list, as JSON where that was asked for too. Throws NotCollected where the list
 * is not there, and fails as it failed.
 */
export async function recordedList(ctx: Context, words: string): Promise<RecordedList> {
  const run = await recordedRun([`${words} -o json`, words], ctx, words);
  const text = run.stdout.toString('utf8');
  if (run.exitCode !== 0) throw failedAs(run.stderr || text, words);
  const label = ctx.globals.archive?.label ?? '';
  const place = (line?: number) =>
    `${label}: what "${words}" printed${line === undefined ? '' : `, line ${line}`}`;
  return { text, stderr: run.stderr, value: jsonIn(text), place };
}

/** The error that a command ended with. */
export function failedAs(said: string, words: string): UserError {
  const line =
    said
      .trim()
      .split('\n')
      .find((one) => one !== '') ?? '';
  return new UserError(line.replace(/^Error: /, '') || `"${words}" had failed when the archive was made`);
}

function jsonIn(text: string): unknown {
  if (!/^\s*[[{n]/.test(text)) return undefined;
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return undefined;
  }
}

/** Two columns or more, by two spaces or more between them. */
const GAP = / {2,}|\t/;

/** Cells of the rows of a table below its header, which begins with `header`. */
export function rowsOf({ text, place }: RecordedList, header: string, columns: number): string[][] {
  const rows: string[][] = [];
  let isHeaderSeen = false;
  for (const [i, line] of text.split('\n').entries()) {
    const plain = line.trimEnd();
    // Archives of cilium-cli have both streams in one file.
    if (plain === '' || plain === NO_ENTRIES.trim()) continue;
    if (!isHeaderSeen) {
      if (!plain.startsWith(header)) throw unreadable(place(i + 1), `a table that begins with ${header}`);
      isHeaderSeen = true;
      continue;
    }
    const cells = (plain.startsWith(' ') ? `-${plain}` : plain).split(GAP);
    if (cells.length < columns) throw unreadable(place(i + 1), `${columns} columns`);
    if (plain.startsWith(' ')) cells[0] = rows.at(-1)?.[0] ?? '';
    rows.push(cells);
  }
  return rows;
}

/** The error of what is there and is no such thing. */
export function unreadable(place: string, expected: string): UserError {
  return new UserError(`${place}, cannot be read: expected ${expected}`, {
    hint: 'Is the archive whole? The agent may be of a release that prints it in another form.',
  });
}

/** Keys and values of a map, as the reference dumps them. */
export async function recordedPairs(ctx: Context, words: string, header: string): Promise<Pairs> {
  const list = await recordedList(ctx, words);
  if (list.value === undefined) {
    const pairs: Pairs = new Map();
    for (const [key = '', value = ''] of rowsOf(list, header, 2))
      pairs.set(key, [...(pairs.get(key) ?? []), value]);
    return pairs;
  }
  const { value } = list;
  if (!isRecord(value)) throw unreadable(list.place(), 'an object of lists');
  return new Map(
    Object.entries(value).map(([key, values]) => {
      if (!Array.isArray(values)) throw unreadable(list.place(), `a list of values of ${key}`);
      return [key, values.map(String)];
    }),
  );
}
