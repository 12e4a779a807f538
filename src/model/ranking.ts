/** One row of a ranking. */
export interface RankedRow {
  /** Values of the keys, in the order of the keys; `-` where a flow has none. */
  values: string[];
  count: number;
  /** The count may be too high by this many: rows that came after the table was full took over a smaller row. */
  error: number;
  /** Milliseconds since the epoch. */
  firstMs: number;
  lastMs: number;
}

/** Flows counted by keys. */
export interface Ranking {
  /** Names of the keys. */
  keys: readonly string[];
  /** Most flows first. */
  rows: readonly RankedRow[];
  /** Flows counted, those of rows that are not listed included. */
  total: number;
  /** How many of them are replies that count for what they answer. */
  folded: number;
  /** There were more than so many keys, so that counts are estimates; undefined while they are exact. */
  overflow: number | undefined;
}
