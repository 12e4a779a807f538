import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { KernelError } from '../../bpf/kernel/errors.ts';
import { type BpfMap, createMap } from '../../bpf/kernel/objects.ts';
import type { RawEntry } from './contents.ts';
import type { MapForm } from './forms.ts';

/** A map that a lab made and keeps up to date. Entries that somebody else changes stay changed until they change here. */
export class PinnedMap implements Disposable {
  readonly #map: BpfMap;
  readonly #path: string;
  /** By the key's bytes. */
  #written = new Map<string, Buffer>();

  constructor(
    folder: string,
    private readonly form: MapForm,
    private readonly onFailure: (error: KernelError) => void,
  ) {
    this.#path = join(folder, form.pin);
    this.#map = createMap({ name: form.pin, ...form.spec });
    try {
      this.#map.pin(this.#path);
    } catch (error) {
      this.#map[Symbol.dispose]();
      throw error;
    }
  }

  /** Makes the map hold these entries; writes what differs from the last time. */
  sync(entries: readonly RawEntry[]): void {
    const wanted = new Map<string, Buffer>();
    const changed: RawEntry[] = [];
    for (const [newestKey, newestValue] of entries) {
      const [key, value] = this.form.entry(newestKey, newestValue);
      const text = key.toString('latin1');
      wanted.set(text, value);
      if (!this.#written.get(text)?.equals(value)) changed.push([key, value]);
    }
    for (const text of this.#written.keys()) if (!wanted.has(text)) this.remove(Buffer.from(text, 'latin1'));
    for (const [key, value] of changed) this.#update(key, value);
    this.#written = wanted;
  }

  /** Writes an entry. A per-CPU map gets the value on its first CPU. */
  put(newestKey: Buffer, newestValue: Buffer): void {
    this.#update(...this.form.entry(newestKey, newestValue));
  }

  #update(key: Buffer, value: Buffer): void {
    const padded = this.#map.isPerCpu ? Buffer.alloc(this.#map.valueStride) : value;
    if (padded !== value) value.copy(padded);
    this.#attempt(() => this.#map.update(key, padded));
  }

  remove(key: Buffer): void {
    this.#attempt(() => this.#map.delete(key));
  }

  /** A full map refuses entries: the lab plays on. */
  #attempt(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      this.onFailure(error);
    }
  }

  /** Takes the pin away; the map goes with it. */
  unpin(): void {
    rmSync(this.#path, { force: true });
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#map[Symbol.dispose]();
  }
}
