import { UserError } from '../../errors.ts';
import { nearest } from '../../lib/nearest.ts';
import type { Flow } from '../../model/hubble.gen.ts';
import type { RankedRow, Ranking } from '../../model/ranking.ts';
import { fieldNamed, fieldNames, type ResolvedField } from '../where/fields.ts';

/** Rows kept at once. Above it the counts are estimates, with a bound on their error. */
const TOP_CAPACITY = 10_000;

/**
 * Counts flows by keys in bounded memory. Up to the capacity the counts are exact; beyond it this is the Space-Saving
 * sketch (Metwally, Agrawal, El Abbadi 2005): a new key takes over the smallest row and inherits its count as the
 * bound of its error, so that every key with more than total/capacity flows is in the table.
 */
export class TopCounter {
  readonly #rows = new Map<string, RankedRow>();
  /** Rows by count, for finding the smallest: buckets of keys in the order of their counts. */
  readonly #buckets = new Map<number, Set<string>>();
  #least = 0;
  #total = 0;
  #folded = 0;
  /** Whether a key is of one end of a connection. */
  readonly #hasEnds: boolean;

  constructor(
    readonly keys: readonly ResolvedField[],
    readonly capacity: number = TOP_CAPACITY,
    /** Replies count for the connection they answer, with its ends as it was opened. */
    foldsReplies = false,
  ) {
    this.#hasEnds = foldsReplies && keys.some(({ name }) => /^(?:src|dst)\b/.test(name));
  }

  /** Flows counted so far. */
  get total(): number {
    return this.#total;
  }

  /** Whether counts have become estimates. */
  get estimated(): boolean {
    return this.#rows.size >= this.capacity && this.#least > 0;
  }

  /** The ranking so far, cut to the rows with the most flows. */
  ranking(most: number): Ranking {
    return {
      keys: this.keys.map(({ name }) => name),
      rows: this.rows(most),
      total: this.#total,
      folded: this.#folded,
      overflow: this.estimated ? this.capacity : undefined,
    };
  }

  add(flow: Flow, timeMs: number): void {
    this.#total++;
    const isFolded = this.#hasEnds && flow.is_reply === true;
    if (isFolded) this.#folded++;
    const asked = isFolded ? answered(flow) : flow;
    const values = this.keys.map(({ read }) => read(asked).map(String).join(',') || '-');
    const key = values.join('\u0000');
    const known = this.#rows.get(key);
    if (known) {
      this.#move(key, known.count, known.count + 1);
      known.count++;
      known.lastMs = Math.max(known.lastMs, timeMs);
      known.firstMs = Math.min(known.firstMs, timeMs);
      return;
    }
    const taken = this.#rows.size >= this.capacity ? this.#evict() : 0;
    this.#rows.set(key, { values, count: taken + 1, error: taken, firstMs: timeMs, lastMs: timeMs });
    this.#move(key, undefined, taken + 1);
  }

  #move(key: string, from: number | undefined, to: number): void {
    if (from !== undefined) {
      const bucket = this.#buckets.get(from);
      bucket?.delete(key);
      if (bucket?.size === 0) this.#buckets.delete(from);
    }
    const bucket = this.#buckets.get(to);
    if (bucket) bucket.add(key);
    else this.#buckets.set(to, new Set([key]));
  }

  /** Drops one of the smallest rows and returns its count. */
  #evict(): number {
    while (!this.#buckets.has(this.#least)) this.#least++;
    const [key = ''] = this.#buckets.get(this.#least) ?? [];
    this.#move(key, this.#least, -1);
    this.#buckets.delete(-1);
    this.#rows.delete(key);
    return this.#least;
  }

  /** The rows with the most flows, most first; ties in the order of their values. */
  rows(most: number): RankedRow[] {
    const compare = (a: RankedRow, b: RankedRow) =>
      b.count - a.count || (a.values.join('\t') < b.values.join('\t') ? -1 : 1);
    return [...this.#rows.values()].sort(compare).slice(0, most);
  }
}

/** A reply with its ends as those of what it answers. */
function answered(flow: Flow): Flow {
  const { source, destination, source_names, destination_names, source_service, destination_service } = flow;
  return {
    ...flow,
    source: destination,
    destination: source,
    source_names: destination_names,
    destination_names: source_names,
    source_service: destination_service,
    destination_service: source_service,
    ...(flow.IP && { IP: { ...flow.IP, source: flow.IP.destination, destination: flow.IP.source } }),
    ...(flow.l4 && { l4: turned(flow.l4) }),
  } as Flow;
}

function turned({ TCP, UDP, SCTP, ...rest }: NonNullable<Flow['l4']>): NonNullable<Flow['l4']> {
  const ports = <L extends { source_port?: number; destination_port?: number }>(layer: L): L => ({
    ...layer,
    source_port: layer.destination_port,
    destination_port: layer.source_port,
  });
  return {
    ...rest,
    ...(TCP && { TCP: ports(TCP) }),
    ...(UDP && { UDP: ports(UDP) }),
    ...(SCTP && { SCTP: ports(SCTP) }),
  };
}

/** One end has to be chosen where a field has two: both in one cell would count every flow twice over. */
const CHOSEN: Readonly<Record<string, string>> = {
  src: 'src.host',
  dst: 'dst.host',
  source: 'src.host',
  destination: 'dst.host',
  port: 'dst.port',
  pod: 'dst.pod',
  namespace: 'dst.namespace',
  ns: 'dst.ns',
};

/** Resolves keys such as `src.pod` and `verdict`. Throws UserError for one that there is not. */
export function topKeys(words: readonly string[]): ResolvedField[] {
  return words.map((word) => {
    const key = fieldNamed(CHOSEN[word] ?? word);
    if (key) return key;
    const near = nearest(word, fieldNames());
    throw new UserError(`--top: there is no key "${word}"`, {
      hint: near ? `Did you mean "${near}"?` : 'The keys are the fields of --where: see --where help.',
    });
  });
}
