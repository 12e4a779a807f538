/** How large a batch may get, and how long it may wait for more. */
export interface BatchBounds {
  most: number;
  mostBytes: number;
  waitMs: number;
}

/**
 * Gathers what comes into batches. One is given out when it is full, when its first item has waited long enough, and at the end.
 * The source is read no further than one step ahead of who takes the batches.
 */
export async function* inBatches<T extends { bytes: number }>(
  source: AsyncIterable<readonly T[]>,
  { most, mostBytes, waitMs }: BatchBounds,
  sleep: (ms: number, signal: AbortSignal) => Promise<void>,
): AsyncGenerator<T[]> {
  const iterator = source[Symbol.asyncIterator]();
  let batch: T[] = [];
  let bytes = 0;
  let due: { wait: Promise<'due'>; stop: AbortController } | undefined;
  const take = () => {
    const full = batch;
    due?.stop.abort();
    [batch, bytes, due] = [[], 0, undefined];
    return full;
  };
  try {
    let failure: unknown;
    const step = () =>
      iterator.next().catch((error: unknown) => {
        failure = error;
        return undefined;
      });
    let next = step();
    for (;;) {
      const got = await (due ? Promise.race([due.wait, next]) : next);
      if (got === 'due') {
        yield take();
        continue;
      }
      if (got === undefined) {
        // What was read before the source failed is given out first.
        if (batch.length > 0) yield take();
        throw failure;
      }
      if (got.done) break;
      for (const item of got.value) {
        if (batch.length > 0 && (batch.length >= most || bytes + item.bytes > mostBytes)) yield take();
        batch.push(item);
        bytes += item.bytes;
      }
      if (batch.length > 0 && !due) {
        const stop = new AbortController();
        const wait = sleep(waitMs, stop.signal).then(
          () => 'due' as const,
          () => 'due' as const,
        );
        due = { wait, stop };
      }
      next = step();
    }
    if (batch.length > 0) yield take();
  } finally {
    due?.stop.abort();
    await iterator.return?.();
  }
}
