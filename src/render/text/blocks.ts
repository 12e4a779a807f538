import { LIST_TABLE, type TabStop, tabulate } from './table.ts';

/** One entry of a list: its first line and the lines that continue it. Cells are separated by tabs. */
export interface Block {
  /** What the entry is known by from one look at the list to the next. */
  key: string;
  lines: string[];
}

/** A list before it is laid out. */
export interface Table {
  headers: string[];
  blocks: Block[];
  stop?: TabStop;
}

/** Lays a list out as the reference does. */
export function renderTable({ headers, blocks, stop = LIST_TABLE }: Table): string {
  const lines = [...headers];
  for (const block of blocks) for (const line of block.lines) lines.push(line);
  return lines.length === 0 ? '' : tabulate(`${lines.join('\n')}\n`, stop);
}

/** What became of an entry since the last look. */
export type Mark = ' ' | '+' | '~' | '-';
export interface MarkedBlock extends Block {
  mark: Mark;
}

/** The entries of `after` in their order, marked, with those that went away at their old place. */
export function markChanges(before: readonly Block[], after: readonly Block[]): MarkedBlock[] {
  const old = new Map(before.map((block) => [block.key, block]));
  const kept = new Set(after.map((block) => block.key));
  const marked: MarkedBlock[] = after.map((block) => {
    const was = old.get(block.key);
    const same = was?.lines.join('\n') === block.lines.join('\n');
    return { ...block, mark: was === undefined ? '+' : same ? ' ' : '~' };
  });
  before.forEach((block, at) => {
    if (!kept.has(block.key)) marked.splice(Math.min(at, marked.length), 0, { ...block, mark: '-' });
  });
  return marked;
}

/** A list whose lines begin with their mark. */
export function renderMarked(table: Table, marked: readonly MarkedBlock[]): { mark: Mark; line: string }[] {
  const marks: Mark[] = [
    ...table.headers.map((): Mark => ' '),
    ...marked.flatMap((block) => block.lines.map(() => block.mark)),
  ];
  const text = renderTable({ ...table, blocks: [...marked] });
  return text
    .split('\n')
    .slice(0, marks.length)
    .map((line, i) => ({ mark: marks[i] ?? ' ', line }));
}
