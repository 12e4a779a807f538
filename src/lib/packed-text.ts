import { deflateRawSync, inflateRawSync } from 'node:zlib';

/** Text that is kept for later, in a tenth of its room or less where it repeats itself. */
export class PackedText {
  readonly #bytes: Uint8Array;

  constructor(text: string) {
    this.#bytes = deflateRawSync(text, { level: 1 });
  }

  toString(): string {
    return inflateRawSync(this.#bytes).toString('utf8');
  }
}
