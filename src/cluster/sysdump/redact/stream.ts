import { type OnRedaction, redactText } from './text.ts';

/**
 * So much is looked at together, and so much of it again with what follows: no secret is longer. Of larger texts the copies
 * that rules make would not be young garbage, and hundreds of MiB of them would stay for a while.
 */
const WINDOW = 64 * 1024;
const TAIL = 16 * 1024;
/** A word without an end may be packed text; it is waited for so long. */
const LONGEST_WORD = 8 * 1024 * 1024;

/** Replaces the secrets in a stream of bytes, wherever its pieces begin and end. */
export class RedactingStream {
  #pending: string[] = [];
  #size = 0;
  #limit = WINDOW;

  constructor(private readonly tell: OnRedaction) {}

  /** Takes a piece, and returns what can be passed on. */
  push(bytes: Uint8Array): Buffer {
    if (bytes.length <= WINDOW) return this.#take(bytes);
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += WINDOW) parts.push(this.#take(bytes.subarray(at, at + WINDOW)));
    return Buffer.concat(parts);
  }

  #take(bytes: Uint8Array): Buffer {
    this.#pending.push(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1'));
    this.#size += bytes.length;
    if (this.#size < this.#limit) return Buffer.alloc(0);
    const text = this.#pending.join('');
    if (isOpenWord(text) && text.length < LONGEST_WORD) {
      this.#pending = [text];
      this.#limit = Math.min(this.#limit * 2, LONGEST_WORD);
      return Buffer.alloc(0);
    }
    const clean = redactText(text, this.tell);
    const cut = cutOf(clean);
    this.#pending = [clean.slice(cut)];
    this.#size = clean.length - cut;
    this.#limit = Math.max(WINDOW, this.#size + WINDOW / 2);
    return Buffer.from(clean.slice(0, cut), 'latin1');
  }

  /** What was held back. */
  end(): Buffer {
    const text = this.#pending.join('');
    this.#pending = [];
    this.#size = 0;
    return Buffer.from(redactText(text, this.tell), 'latin1');
  }
}

/** Whether the tail has no end of a word: then it begins before it. */
function isOpenWord(text: string): boolean {
  return !/[^A-Za-z0-9+/=_\s-]/.test(text.slice(-TAIL));
}

/** Where the part begins that is looked at again: at a line, or at least between words. */
function cutOf(text: string): number {
  const earliest = Math.max(0, text.length - TAIL);
  const line = text.indexOf('\n', earliest) + 1;
  if (line > 0 && line < text.length - TAIL / 2) return line;
  for (let at = earliest; at < text.length - TAIL / 2; at++) if (/[\s,{}[\]]/.test(text[at] ?? '')) return at;
  return earliest;
}
