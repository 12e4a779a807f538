/** A regular file in a tar archive. Its body has to be read before the next one is asked for. */
export interface TarFile {
  name: string;
  size: number;
  body: AsyncIterable<Buffer>;
}

const BLOCK = 512;
const MAX_NAME = 64 * 1024;

/** Reads the regular files of a tar archive as it comes: ustar, GNU's long names and pax. Throws where it is none. */
export async function* untar(source: AsyncIterable<Buffer>): AsyncGenerator<TarFile> {
  const input = new Pieces(source);
  let longName: string | undefined;
  for (;;) {
    const head = await input.take(BLOCK);
    if (head.length < BLOCK || head.every((byte) => byte === 0)) return;
    const size = numberIn(head.subarray(124, 136));
    if (!Number.isSafeInteger(size) || size < 0) throw new Error('it is no tar archive');
    const type = String.fromCharCode(head[156] ?? 0);
    const padded = Math.ceil(size / BLOCK) * BLOCK;
    if (type === 'L' || type === 'x') {
      if (size > MAX_NAME) throw new Error('a name in the tar archive is too long');
      const body = (await input.take(padded)).subarray(0, size).toString('utf8');
      longName = type === 'L' ? body.replace(/\0.*$/s, '') : (/^\d+ path=(.*)$/m.exec(body)?.[1] ?? longName);
      continue;
    }
    const name = longName ?? nameIn(head);
    longName = undefined;
    if (type !== '0' && type !== '\0') {
      for await (const _ of input.stream(padded));
      continue;
    }
    const state = { left: padded };
    yield { name, size, body: body(input, size, state) };
    for await (const _ of input.stream(state.left));
  }
}

async function* body(input: Pieces, size: number, state: { left: number }): AsyncGenerator<Buffer> {
  let wanted = size;
  while (wanted > 0) {
    const part = await input.some(wanted);
    if (part.length === 0) throw new Error('the tar archive ends within a file');
    wanted -= part.length;
    state.left -= part.length;
    yield part;
  }
}

function textIn(bytes: Buffer): string {
  const end = bytes.indexOf(0);
  return bytes.subarray(0, end < 0 ? bytes.length : end).toString('utf8');
}

function nameIn(head: Buffer): string {
  const name = textIn(head.subarray(0, 100));
  const prefix = head.subarray(257, 262).toString() === 'ustar' ? textIn(head.subarray(345, 500)) : '';
  return prefix === '' ? name : `${prefix}/${name}`;
}

/** In octal digits, or in binary where they are too few. */
function numberIn(field: Buffer): number {
  if ((field[0] ?? 0) & 0x80) return Number(field.readBigUInt64BE(field.length - 8));
  const digits = textIn(field).trim();
  return digits === '' ? 0 : /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}

/** Bytes of a stream in the pieces that are asked for. */
class Pieces {
  readonly #source: AsyncIterator<Buffer>;
  #rest = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Some bytes, at most so many; none at the end. */
  async some(most: number): Promise<Buffer> {
    while (this.#rest.length === 0) {
      const { done, value } = await this.#source.next();
      if (done) return this.#rest;
      this.#rest = Buffer.from(value);
    }
    const part = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(part.length);
    return part;
  }

  async take(size: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let left = size;
    while (left > 0) {
      const part = await this.some(left);
      if (part.length === 0) break;
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }

  async *stream(size: number): AsyncGenerator<Buffer> {
    for (let left = size; left > 0; ) {
      const part = await this.some(left);
      if (part.length === 0) return;
      left -= part.length;
      yield part;
    }
  }
}
