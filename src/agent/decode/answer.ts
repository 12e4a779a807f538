import type { Reader } from './reader.ts';

/** An answer of the agent: to print as it came, or to read. */
export class Answer<V> {
  constructor(
    /** The answer with its unknown fields and all digits of its numbers, for `-o`. */
    readonly document: unknown,
    /** Its type in the description of the agent's API, such as `Endpoint[]`. */
    readonly type: string,
    /** What the toolkit knows of it. Fails with the place that has another shape. */
    readonly decode: () => V,
  ) {}
}

/** Waits for an answer that must be an object. */
export async function objectAnswer<T, V>(
  asked: Promise<Reader<T>>,
  type: string,
  decode: (answer: Reader<T>) => V,
): Promise<Answer<V>> {
  const reader = await asked;
  return new Answer(reader.fields(), type, () => decode(reader));
}

/** Waits for an answer that must be a list of objects; `order` sorts its entries, which are otherwise as they came. */
export async function listAnswer<T extends readonly unknown[], V>(
  asked: Promise<Reader<T>>,
  type: string,
  decode: (answer: Reader<T>) => V,
  order?: (answer: Reader<T>) => unknown[],
): Promise<Answer<V>> {
  const reader = await asked;
  for (const entry of reader.items()) entry.fields();
  return new Answer(order ? order(reader) : reader.document, type, () => decode(reader));
}

/** The documents of a list by a number that each entry holds. */
export function byNumber<T extends readonly unknown[]>(
  number: (entry: ReturnType<Reader<T>['items']>[number]) => number,
): (answer: Reader<T>) => unknown[] {
  return (answer) =>
    answer
      .items()
      .toSorted((a, b) => number(a) - number(b))
      .map(({ document }) => document);
}
