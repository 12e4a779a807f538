/** Starts at most `limit` at once, and returns the results in order, each as soon as it is there. */
export function bounded<T, R>(
  items: readonly T[],
  limit: number,
  begin: (item: T) => Promise<R>,
): Promise<R>[] {
  let free = limit;
  const waiting: (() => void)[] = [];
  return items.map(async (item) => {
    if (free > 0) free--;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    try {
      return await begin(item);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  });
}
