import type { Timeline } from '../../../model/traffic.ts';

/** Pieces that a timeline has at most; it has more than half as many once it is longer than that. */
const MOST_PIECES = 120;
const FIRST_WIDTH_MS = 100;

/** Flows in a piece of time: all, and those that were dropped. */
type Counts = [flows: number, dropped: number];

/** The length of the pieces of time, which doubles when there are too many. All lists of one map share it. */
export class PiecesOfTime {
  widthMs = FIRST_WIDTH_MS;
  #lists = new Set<TimeCounts>();
  #details = new Set<TimeCounts>();
  #first: number | undefined;
  #last: number | undefined;

  /** With room for so many lists of details. */
  constructor(readonly mostDetails: number) {}

  /** A list of counts that follows the length of the pieces. */
  list(): TimeCounts {
    const list = new TimeCounts();
    this.#lists.add(list);
    return list;
  }

  /** A list for something that an edge tells apart; undefined where there is no room for more. */
  detail(): TimeCounts | undefined {
    if (this.#details.size >= this.mostDetails) return undefined;
    const list = new TimeCounts();
    this.#details.add(list);
    return list;
  }

  /** A list with another one added to it; undefined, and given back, where one of them was not kept. */
  joined(own: TimeCounts | undefined, other: TimeCounts | undefined, shift: number): TimeCounts | undefined {
    if (own && other) own.merge(other, shift);
    else if (own) this.forget(own);
    return other && own;
  }

  /** Gives a list back. */
  forget(list: TimeCounts): void {
    this.#lists.delete(list);
    this.#details.delete(list);
  }

  /** Number of the piece that a time lies in, after there is room for it. */
  at(timeMs: number): number {
    let piece = Math.floor(timeMs / this.widthMs);
    this.#first = Math.min(piece, this.#first ?? piece);
    this.#last = Math.max(piece, this.#last ?? piece);
    while (this.#last - this.#first >= MOST_PIECES) {
      this.#double();
      piece = Math.floor(timeMs / this.widthMs);
    }
    return piece;
  }

  /** Takes pieces at least as long as those of another map, whose lists can be added then. */
  widenTo(widthMs: number): void {
    while (this.widthMs < widthMs) this.#double();
  }

  #double(): void {
    this.widthMs *= 2;
    if (this.#first !== undefined && this.#last !== undefined) {
      this.#first = Math.floor(this.#first / 2);
      this.#last = Math.floor(this.#last / 2);
    }
    for (const lists of [this.#lists, this.#details]) for (const list of lists) list.double();
  }

  /** The whole of a list, pieces without flows included. */
  timeline(list: TimeCounts): Timeline {
    const first = this.#first ?? 0;
    const pieces = Array.from(
      { length: this.#last === undefined ? 0 : this.#last - first + 1 },
      (_, i) => list.get(first + i) ?? [0, 0],
    );
    return {
      first,
      widthMs: this.widthMs,
      flows: pieces.map(([flows]) => flows),
      dropped: pieces.map(([, dropped]) => dropped),
    };
  }
}

/** Flows by piece of time, from the first piece that has some to the last: there are thousands of these lists. */
export class TimeCounts {
  #first = 0;
  #flows: number[] = [];
  #dropped: number[] = [];

  get(piece: number): Readonly<Counts> | undefined {
    const at = piece - this.#first;
    const flows = this.#flows[at];
    return flows ? [flows, this.#dropped[at] ?? 0] : undefined;
  }

  add(piece: number, flows: number, dropped: number): void {
    if (this.#flows.length === 0) this.#first = piece;
    for (; piece < this.#first; this.#first--) {
      this.#flows.unshift(0);
      this.#dropped.unshift(0);
    }
    const at = piece - this.#first;
    while (this.#flows.length <= at) {
      this.#flows.push(0);
      this.#dropped.push(0);
    }
    this.#flows[at] = (this.#flows[at] ?? 0) + flows;
    this.#dropped[at] = (this.#dropped[at] ?? 0) + dropped;
  }

  /** Two pieces become one. */
  double(): void {
    const before = this.entries();
    this.#flows = [];
    this.#dropped = [];
    for (const [piece, flows, dropped] of before) this.add(Math.floor(piece / 2), flows, dropped);
  }

  /** Adds those of a list whose pieces are `shift` doublings shorter. */
  merge(other: TimeCounts, shift = 0): void {
    for (const [piece, flows, dropped] of other.entries())
      this.add(Math.floor(piece / 2 ** shift), flows, dropped);
  }

  /** Pieces with flows in the order of time, each with its number. */
  entries(): [piece: number, flows: number, dropped: number][] {
    return this.#flows.flatMap((flows, i) =>
      flows > 0 ? [[this.#first + i, flows, this.#dropped[i] ?? 0]] : [],
    );
  }
}
