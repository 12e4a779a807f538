/** The known name that was most likely meant by `word`; undefined when none is close. Case does not count. */
export function nearest(word: string, names: readonly string[]): string | undefined {
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let least = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const name of names) {
    const known = name.toLowerCase();
    const isBeginning = wanted !== '' && known.startsWith(wanted);
    // So many letters are to be added or left out at least.
    if (!isBeginning && Math.abs(known.length - wanted.length) >= least) continue;
    const distance = isBeginning ? 1 : editDistance(wanted, known);
    if (distance < least) [best, least] = [name, distance];
  }
  return best;
}

/** What is told of a word that is none of the known ones: the one that was most likely meant, and all. */
export function knownNames(word: string, names: readonly string[]): string {
  const near = nearest(word, names);
  return `${near === undefined ? '' : `Did you mean "${near}"? `}Known are ${names.join(', ')}.`;
}

/** The number of letters to add, to leave out or to change that lead from one word to the other. */
export function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substituted, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
