import { UserError } from '../../../errors.ts';
import { MAX_UINT64, type Selection } from './selectors.ts';

/** Most records that are held in memory, for `--last` or to put them in order. */
export const MOST_HELD = 1_000_000;
const BLOCK = 1000;

/** How much of a file a selection means; undefined for all of it. A server applies the selection itself. */
export function limitOf({ first, number }: Selection): Limit | undefined {
  if (number === 0n || number === MAX_UINT64) return undefined;
  if (!first && number > MOST_HELD) throw new UserError(`--last must be <= 1_000_000, got ${number}`);
  return new Limit(first ? 'first' : 'last', Number(number));
}

/** Cuts a stream of records to its first or its last ones. Serves one stream. */
export class Limit {
  #passed = 0;

  constructor(
    private readonly end: 'first' | 'last',
    private readonly most: number,
  ) {}

  /** Whether no record is wanted after `more` further ones. */
  isReached(more: number): boolean {
    return this.end === 'first' && this.#passed + more >= this.most;
  }

  /** How many records are wanted after `more` further ones. */
  rest(more: number): number {
    return this.end === 'first' ? this.most - this.#passed - more : Number.POSITIVE_INFINITY;
  }

  /** The records that are wanted; `hold` makes a record fit to be held. */
  cut<T>(
    batches: AsyncIterable<readonly T[]>,
    hold: (record: T) => T = (record) => record,
  ): AsyncGenerator<readonly T[]> {
    return this.end === 'first' ? this.#first(batches) : this.#last(batches, hold);
  }

  async *#first<T>(batches: AsyncIterable<readonly T[]>) {
    for await (const batch of batches) {
      const taken = batch.slice(0, this.most - this.#passed);
      this.#passed += taken.length;
      yield taken;
      if (this.isReached(0)) return;
    }
  }

  async *#last<T>(batches: AsyncIterable<readonly T[]>, hold: (record: T) => T) {
    const ring: T[] = [];
    let next = 0;
    for await (const batch of batches) {
      for (const record of batch.slice(-this.most)) {
        ring[next] = hold(record);
        next = (next + 1) % this.most;
      }
      // News of nodes are told as the file is read.
      yield [];
    }
    // Until the ring is full, what begins at `next` is empty.
    yield* inBlocks([...ring.slice(next), ...ring.slice(0, next)]);
  }
}

/** Records in batches that can be turned into text at once. */
export function* inBlocks<T>(records: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < records.length; at += BLOCK) yield records.slice(at, at + BLOCK);
}
