import { END_HEADERS, END_STREAM, HEAD_BYTES, Http2Error } from './frames.ts';
import { HeaderDecoder, type Headers } from './hpack.ts';

/** Headers with all of their parts. */
export interface HeaderBlock {
  headers: Headers;
  /** Nothing comes behind them. */
  isLast: boolean;
}

/** Blocks that do not end take no more. */
const MOST_BLOCK_BYTES = 512 * 1024;

/** Puts the headers of a connection together, in their order. */
export class HeaderBlocks {
  readonly #decoder = new HeaderDecoder();
  #open: { id: number; flags: number; parts: Buffer[]; bytes: number } | undefined;

  /** The stream whose headers go on; undefined between two blocks. */
  get openId(): number | undefined {
    return this.#open?.id;
  }

  /** Adds the part that a frame brought; gives the headers once all is there. Throws HpackError. */
  add(id: number, flags: number, part: Buffer): HeaderBlock | undefined {
    this.#open ??= { id, flags, parts: [], bytes: 0 };
    const block = this.#open;
    block.parts.push(Buffer.from(part));
    // Empty ones take room as well.
    block.bytes += part.length + HEAD_BYTES;
    if (block.bytes > MOST_BLOCK_BYTES) throw new Http2Error('the headers are too large');
    if (!(flags & END_HEADERS)) return undefined;
    this.#open = undefined;
    return {
      headers: this.#decoder.decode(Buffer.concat(block.parts)),
      isLast: (block.flags & END_STREAM) !== 0,
    };
  }
}
