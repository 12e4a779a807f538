/** What a source is read with. */
interface Pauses {
  /** How long it is quiet before that is said. */
  ms: number;
  signal: AbortSignal;
  sleep: (ms: number, signal: AbortSignal) => Promise<void>;
}

/** The batches of a source, and an empty one whenever none has come for so long. The source ends with who reads it. */
export async function* withPauses<T>(
  open: (signal: AbortSignal) => AsyncIterable<readonly T[]>,
  { ms, signal, sleep }: Pauses,
): AsyncGenerator<readonly T[]> {
  const stop = new AbortController();
  const source = open(AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator]();
  const came: (IteratorResult<readonly T[]> | { error: unknown })[] = [];
  let wake = () => {};
  const ask = async () => {
    came.push(await source.next().catch((error: unknown) => ({ error })));
    wake();
  };
  // Not a race of what is awaited: a source that is quiet for hours would gather what waits for it.
  const pause = async () => {
    const timer = new AbortController();
    await new Promise<void>((resolve) => {
      wake = resolve;
      sleep(ms, timer.signal).then(resolve, () => resolve());
    });
    timer.abort();
  };
  try {
    for (;;) {
      void ask();
      // Something may have come while an empty batch was looked at.
      while (came.length === 0) {
        await pause();
        if (came.length === 0) yield [];
      }
      for (const step of came.splice(0)) {
        if ('error' in step) throw step.error;
        if (step.done) return;
        yield step.value;
      }
    }
  } finally {
    stop.abort();
    await source.return?.();
  }
}
