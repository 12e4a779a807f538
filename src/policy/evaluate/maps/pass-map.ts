import type { AggregateOf } from './aggregates.ts';
import { broaderKeys, includesKey, type L4Key } from './map-key.ts';
import type { Bucket, MapState } from './policy-map.ts';
import { add, type Entry, equivalent } from './precedence-entry.ts';

/**
 * The map of one direction with rules that pass. The datapath knows no pass: what a later tier says of traffic that was
 * passed is written with a precedence right below that of the rule that passed it.
 */
export class PassMap {
  readonly #slots = new Map<L4Key, Map<number, Slot>>();

  constructor(readonly aggregateOf: AggregateOf) {}

  get state(): MapState {
    const state: MapState = new Map();
    for (const [key, slots] of this.#slots) {
      const bucket: Bucket = new Map();
      for (const [id, { entry }] of slots) if (entry) bucket.set(id, entry);
      if (bucket.size > 0) state.set(key, bucket);
    }
    return state;
  }

  insertPass(key: L4Key, ids: Iterable<number>, pass: Pass): void {
    for (const id of ids) {
      const { precedence, highest } = pass;
      const over = this.#covering(key, id).some(
        ({ entry, passes }) =>
          (entry && entry.precedence > precedence && entry.precedence <= highest) ||
          passes.some((other) => other.lowest === pass.lowest && other.precedence >= precedence),
      );
      if (over) continue;
      for (const place of this.#covered(key, id)) this.#prune(place, key, id, undefined, precedence);
      this.#slot(key, id).passes.push(pass);
    }
  }

  /** `highest` is the highest precedence of the entry's tier. */
  insert(key: L4Key, ids: Iterable<number>, entry: Entry, highest: number): void {
    for (const id of ids)
      if (!this.#hasEquivalentAggregate(key, id, entry)) this.#insertOne(key, id, entry, highest);
  }

  #insertOne(key: L4Key, id: number, entry: Entry, highest: number): void {
    const above = this.#above(key, id, entry, highest, true);
    if (!above) return;
    const { passes, over, done } = above;
    const queue = above.others.filter((other) => !done.has(other));
    let settled = over > 0;
    const aggregate = this.aggregateOf(id);
    for (const place of this.#narrower(key, id)) {
      if (!settled && (id === aggregate || place.id === id))
        this.#prune(place, key, id, entry, entry.precedence);
      const further = place.key !== key || place.id !== id;
      if (further && place.passes.some(({ precedence }) => precedence > highest))
        queue.push(nameOf(place.key, place.id === aggregate ? id : place.id));
    }
    if (passes.length > 0) {
      const moved = movedBy(passes, entry);
      if (moved > over) {
        this.#put(key, id, { ...entry, precedence: moved });
        settled = true;
      }
    }
    if (!settled) this.#put(key, id, entry);
    this.#insertPassed(queue, done, entry, highest);
  }

  /** Entries at keys that another rule passes and the entry's own key covers. */
  #insertPassed(queue: string[], done: Set<string>, entry: Entry, highest: number): void {
    for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
      if (done.has(next)) continue;
      done.add(next);
      const [key, id] = placeOf(next);
      const above = this.#above(key, id, entry, highest, false);
      if (!above) continue;
      queue.push(...above.others.filter((other) => !done.has(other)));
      if (above.passes.length === 0) continue;
      const moved = movedBy(above.passes, entry);
      if (moved > above.over) this.#put(key, id, { ...entry, precedence: moved });
    }
  }

  /**
   * What broader keys say of an entry: the passes of earlier tiers that it is behind, the precedence that it has to be
   * over, and places beside it whose passes lead to it. Undefined where its own tier has decided.
   */
  #above(key: L4Key, id: number, entry: Entry, highest: number, own: boolean): Above | undefined {
    const aggregate = this.aggregateOf(id);
    const above: Above = { passes: [], over: 0, others: [], done: new Set() };
    for (const place of this.#broader(key, id)) {
      const covering = id !== aggregate || place.id === aggregate;
      for (const pass of place.passes) {
        if (pass.lowest > entry.precedence) {
          if (covering) collect(above.passes, pass);
          else above.others.push(nameOf(key, place.id));
        } else if (covering && pass.precedence > entry.precedence) return undefined;
      }
      const found = place.entry?.precedence ?? -1;
      const hides =
        found > entry.precedence || (entry.deny && found === entry.precedence && place.key !== key);
      if (!hides) continue;
      if (!covering) {
        if (found <= highest) above.done.add(nameOf(key, place.id));
      } else if (found > highest) above.over = Math.max(above.over, found);
      else if (own) return undefined;
    }
    return above;
  }

  /** Writes an entry, without those that it covers. */
  #put(key: L4Key, id: number, entry: Entry): void {
    for (const place of this.#covered(key, id)) this.#prune(place, key, id, entry, entry.precedence);
    const slot = this.#slot(key, id);
    const bucket = new Map(slot.entry ? [[id, slot.entry]] : []);
    add(bucket, id, entry);
    slot.entry = bucket.get(id);
  }

  #prune(place: Place, key: L4Key, id: number, by: Entry | undefined, precedence: number): void {
    const slot = this.#slot(place.key, place.id);
    slot.passes = slot.passes.filter(
      (pass) => precedence < pass.lowest || precedence > pass.highest || pass.precedence > precedence,
    );
    const { entry } = slot;
    if (!entry) return;
    const other = place.key !== key || place.id !== id;
    const repeated =
      by !== undefined &&
      place.key === key &&
      place.id !== id &&
      this.aggregateOf(place.id) === id &&
      equivalent(entry, by);
    if (entry.precedence < precedence || (entry.deny && entry.precedence === precedence && other) || repeated)
      slot.entry = undefined;
  }

  #hasEquivalentAggregate(key: L4Key, id: number, entry: Entry): boolean {
    const aggregate = this.aggregateOf(id);
    const slots = this.#slots.get(key);
    const found = aggregate === id ? undefined : slots?.get(aggregate);
    return (
      found?.entry !== undefined &&
      found.passes.length === 0 &&
      (slots?.get(id)?.passes.length ?? 0) === 0 &&
      equivalent(found.entry, entry)
    );
  }

  #slot(key: L4Key, id: number): Slot {
    const slots = this.#slots.get(key) ?? new Map<number, Slot>();
    this.#slots.set(key, slots);
    const slot = slots.get(id) ?? { entry: undefined, passes: [] };
    slots.set(id, slot);
    return slot;
  }

  #places(keys: readonly L4Key[], ids: readonly number[]): Place[] {
    return keys.flatMap((key) => {
      const slots = this.#slots.get(key);
      return ids.flatMap((id): Place[] => {
        const slot = slots?.get(id);
        return slot ? [{ key, id, ...slot }] : [];
      });
    });
  }

  /** The same of an aggregate and of each that it stands for. A bucket may hold thousands: only here all are looked at. */
  #placesOfAll(keys: readonly L4Key[], aggregate: number): Place[] {
    return keys.flatMap((key) =>
      [...(this.#slots.get(key) ?? [])]
        .filter(([id]) => this.aggregateOf(id) === aggregate)
        .map(([id, slot]) => ({ key, id, ...slot })),
    );
  }

  /** At the key and broader ones: of the peer or its aggregate. */
  #covering(key: L4Key, id: number): Place[] {
    return this.#places([key, ...broaderKeys(key)], [...new Set([id, this.aggregateOf(id)])]);
  }

  /** The same, of an aggregate also of each that it stands for. */
  #broader(key: L4Key, id: number): Place[] {
    if (this.aggregateOf(id) !== id) return this.#covering(key, id);
    return this.#placesOfAll([key, ...broaderKeys(key)], id);
  }

  /** At the key and narrower ones: of the peer, of an aggregate also of each that it stands for. */
  #covered(key: L4Key, id: number): Place[] {
    const keys = this.#below(key);
    return this.aggregateOf(id) === id ? this.#placesOfAll(keys, id) : this.#places(keys, [id]);
  }

  /** The same, and of the peer's aggregate. */
  #narrower(key: L4Key, id: number): Place[] {
    const keys = this.#below(key);
    const aggregate = this.aggregateOf(id);
    return aggregate === id ? this.#placesOfAll(keys, id) : this.#places(keys, [id, aggregate]);
  }

  #below(key: L4Key): L4Key[] {
    return [...this.#slots.keys()].filter((each) => each === key || includesKey(key, each));
  }
}

/** A rule that passes, and the precedences of its tier. */
export interface Pass {
  precedence: number;
  lowest: number;
  highest: number;
}

interface Slot {
  entry: Entry | undefined;
  passes: Pass[];
}

interface Place extends Slot {
  key: L4Key;
  id: number;
}

interface Above {
  passes: Pass[];
  over: number;
  others: string[];
  done: Set<string>;
}

/** Of each tier the pass with the highest precedence. */
function collect(passes: Pass[], pass: Pass): void {
  const at = passes.findIndex(({ lowest }) => lowest === pass.lowest);
  const known = passes[at];
  if (!known) passes.push(pass);
  else if (known.precedence < pass.precedence) passes[at] = pass;
}

/** The precedence of an entry behind the passes. */
function movedBy(passes: readonly Pass[], { precedence }: Entry): number {
  return passes.reduce((sum, pass) => sum - pass.lowest + pass.precedence, precedence);
}

function nameOf(key: L4Key, id: number): string {
  return `${key} ${id}`;
}

function placeOf(name: string): [L4Key, number] {
  const [key = 0, id = 0] = name.split(' ').map(Number);
  return [key, id];
}
