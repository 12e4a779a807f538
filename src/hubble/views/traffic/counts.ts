import type { PiecesOfTime, TimeCounts } from './pieces-of-time.ts';

/** The name that stands for all that there was no room for. */
export const REST = 'others';

/** Something that is counted: `a` and `b` are what its taker means by them. */
export interface Tally {
  flows: number;
  /** The part of them that matters more: dropped, or denied. */
  bad: number;
}

/** Letters of a name that are kept: a URL may have megabytes. */
const MOST_LETTERS = 512;

/** A name that may come from anywhere, as it is kept. It is a text of its own, not a part of one that would stay with it. */
export function clipName(name: string, most = MOST_LETTERS): string {
  if (name.length <= most) return name;
  return `${Buffer.from(name.slice(0, most - 1)).toString()}…`;
}

interface NamedTally extends Tally {
  name: string;
  /** When it was counted; undefined where that is not kept. */
  times: TimeCounts | undefined;
}

/** What keeping a name takes beside its letters, in letters. */
const KEEPING = 64;

/** Room for names, which thousands of lists share: each may be long, but not all of them at once. */
export class Room {
  #letters: number;

  constructor(letters: number) {
    this.#letters = letters;
  }

  /** Takes the room for a name; false where there is none left. */
  take(name: string): boolean {
    const size = sizeOf(name);
    if (size > this.#letters) return false;
    this.#letters -= size;
    return true;
  }

  /** Gives back the room of names that are no longer kept. */
  giveBack(names: Iterable<string>): void {
    for (const name of names) this.#letters += sizeOf(name);
  }
}

const sizeOf = (name: string) => name.length + KEEPING;

/**
 * Counts by name in bounded memory: when there are too many names, or there is no room, new ones are counted together as the
 * rest. There are thousands of these, most with one name, and none with many: so it is a list.
 */
export class Counts {
  readonly #tallies: NamedTally[] = [];

  constructor(
    readonly most: number,
    readonly room: Room,
    /** Where it is kept when each name was counted. */
    readonly pieces?: PiecesOfTime,
  ) {}

  /** The names that it took room for. */
  get names(): string[] {
    return this.#tallies.flatMap(({ name }) => (name === REST ? [] : name));
  }

  /** The tally of a name, which its taker raises. */
  of(full: string): NamedTally {
    const name = clipName(full);
    const known = this.#named(name);
    if (known) return known;
    if (this.#tallies.length < this.most && name !== REST && this.room.take(name)) return this.#begin(name);
    return this.#named(REST) ?? this.#begin(REST);
  }

  /** Counts one that was seen in a piece of time; undefined where it has none. */
  add(name: string, piece: number | undefined): void {
    const tally = this.of(name);
    tally.flows++;
    if (piece !== undefined) tally.times?.add(piece, 1, 0);
  }

  /** The lists of when names were counted. */
  get times(): TimeCounts[] {
    return this.#tallies.flatMap(({ times }) => times ?? []);
  }

  #named(name: string): NamedTally | undefined {
    return this.#tallies.find((tally) => tally.name === name);
  }

  #begin(name: string): NamedTally {
    const tally = { name, flows: 0, bad: 0, times: this.pieces?.detail() };
    this.#tallies.push(tally);
    return tally;
  }

  /** Adds those of another, whose pieces of time are `shift` doublings shorter. */
  merge(other: Counts, shift = 0): void {
    for (const { name, flows, bad, times } of other.#tallies) {
      const tally = this.of(name);
      tally.flows += flows;
      tally.bad += bad;
      tally.times = this.pieces?.joined(tally.times, times, shift);
    }
  }

  /** Most flows first, the rest last, ties by name. */
  sorted(): NamedTally[] {
    return this.#tallies
      .map((tally) => ({ ...tally }))
      .sort(
        (a, b) =>
          Number(a.name === REST) - Number(b.name === REST) ||
          b.flows - a.flows ||
          (a.name < b.name ? -1 : 1),
      );
  }
}
