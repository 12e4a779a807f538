/** A line of a comparison: in both texts, only in the old one, only in the new one. */
export interface DiffLine {
  mark: ' ' | '-' | '+';
  text: string;
}

/** Above this many comparisons the lines in between are shown as replaced: nobody reads a diff of that size. */
const MOST_CELLS = 4_000_000;

/** The shortest way from one list of lines to another. */
export function diffLines(before: readonly string[], after: readonly string[]): DiffLine[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head++;
  let tail = 0;
  while (
    tail < before.length - head &&
    tail < after.length - head &&
    before.at(-1 - tail) === after.at(-1 - tail)
  )
    tail++;
  const same = (text: string): DiffLine => ({ mark: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function middle(before: readonly string[], after: readonly string[]): DiffLine[] {
  const lines: DiffLine[] = [];
  const width = after.length + 1;
  const tooLarge = before.length * width > MOST_CELLS;
  // At [i, j]: how many lines the rests of both have in common.
  const common = new Uint32Array(tooLarge ? 0 : (before.length + 1) * width);
  const at = (i: number, j: number) => common[i * width + j] ?? 0;
  if (!tooLarge)
    for (let i = before.length - 1; i >= 0; i--)
      for (let j = after.length - 1; j >= 0; j--)
        common[i * width + j] =
          before[i] === after[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [old = '', young = ''] = [before[i], after[j]];
    if (!tooLarge && i < before.length && j < after.length && old === young) {
      lines.push({ mark: ' ', text: old });
      i++;
      j++;
    } else if (i < before.length && (j === after.length || at(i + 1, j) >= at(i, j + 1))) {
      lines.push({ mark: '-', text: old });
      i++;
    } else {
      lines.push({ mark: '+', text: young });
      j++;
    }
  }
  return lines;
}

/** Leaves out lines that are the same and further than `context` from a change; `…` stands for them. */
export function nearChanges(lines: readonly DiffLine[], context: number): (DiffLine | undefined)[] {
  const near = lines.map((_, i) =>
    lines.slice(Math.max(0, i - context), i + context + 1).some(({ mark }) => mark !== ' '),
  );
  return lines.flatMap((line, i): (DiffLine | undefined)[] => {
    if (near[i]) return [line];
    return near[i - 1] === false ? [] : [undefined];
  });
}
