/** Headers as they stand on the wire: names in lower case. */
export type Headers = Readonly<Record<string, string>>;

/** Bytes that are no header block. */
export class HpackError extends Error {
  override name = 'HpackError';
}

/** RFC 7541, appendix A: names, and the values that some of them have. */
const STATIC: readonly (readonly [string, string])[] = [
  ':authority',
  ':method=GET',
  ':method=POST',
  ':path=/',
  ':path=/index.html',
  ':scheme=http',
  ':scheme=https',
  ...[200, 204, 206, 304, 400, 404, 500].map((status) => `:status=${status}`),
  ...['accept-charset', 'accept-encoding=gzip, deflate', 'accept-language', 'accept-ranges', 'accept'],
  ...['access-control-allow-origin', 'age', 'allow', 'authorization', 'cache-control', 'content-disposition'],
  ...['content-encoding', 'content-language', 'content-length', 'content-location', 'content-range'],
  ...['content-type', 'cookie', 'date', 'etag', 'expect', 'expires', 'from', 'host', 'if-match'],
  ...['if-modified-since', 'if-none-match', 'if-range', 'if-unmodified-since', 'last-modified', 'link'],
  ...['location', 'max-forwards', 'proxy-authenticate', 'proxy-authorization', 'range', 'referer', 'refresh'],
  ...['retry-after', 'server', 'set-cookie', 'strict-transport-security', 'transfer-encoding', 'user-agent'],
  ...['vary', 'via', 'www-authenticate'],
].map((entry): readonly [string, string] => {
  const at = entry.indexOf('=');
  return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
});

/**
 * RFC 7541, appendix B: the lengths in bits of the codes of the bytes 0 to 255, in base 32. The codes follow from them: shorter
 * ones come first, and of one length those of smaller bytes.
 */
const CODE_LENGTHS =
  'dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6ca' +
  'd67777777777777777777777878djde6f56565666577666567655677777fbeds' +
  'kmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmn' +
  'qqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrq';

/** What an entry costs in a table beyond its texts. */
const ENTRY_COST = 32;
const TABLE_BYTES = 4096;
/** Headers of an answer are a few hundred bytes. */
const MOST_HEADER_BYTES = 256 * 1024;

/** A block with the headers as they are: nothing is kept in a table, and what is secret in none of the way either. */
export function encodeHeaders(headers: Headers): Buffer {
  const parts: Buffer[] = [];
  for (const [name, value] of Object.entries(headers))
    parts.push(Buffer.from([NEVER_INDEXED]), literal(name), literal(value));
  return Buffer.concat(parts);
}

const NEVER_INDEXED = 0x10;

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return Buffer.concat([encodeInteger(bytes.length, 7), bytes]);
}

function encodeInteger(value: number, bits: number): Buffer {
  const most = 2 ** bits - 1;
  if (value < most) return Buffer.from([value]);
  const bytes = [most];
  let rest = value - most;
  for (; rest >= 0x80; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  return Buffer.from([...bytes, rest]);
}

/** Decodes the header blocks of one connection, in their order. */
export class HeaderDecoder {
  /** The newest entry first. */
  readonly #table: (readonly [string, string])[] = [];
  #size = 0;
  #most = TABLE_BYTES;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;

  /** The headers of a block; a name that comes twice keeps its first value. Throws HpackError. */
  decode(block: Buffer): Headers {
    this.#bytes = block;
    this.#at = 0;
    const headers: Record<string, string> = {};
    let taken = 0;
    while (this.#at < block.length) {
      const entry = this.#entry(block[this.#at] ?? 0);
      if (!entry) continue;
      taken += entry[0].length + entry[1].length + ENTRY_COST;
      if (taken > MOST_HEADER_BYTES) throw new HpackError('the headers are too large');
      // A name is what the server says it is: none may reach what objects have by themselves.
      if (!Object.hasOwn(headers, entry[0]) && entry[0] !== '__proto__') headers[entry[0]] = entry[1];
    }
    return headers;
  }

  #entry(first: number): readonly [string, string] | undefined {
    if (first & 0x80) return this.#indexed(this.#integer(7));
    if (first & 0x40) return this.#keep(this.#literal(this.#integer(6)));
    if (first & 0x20) {
      this.#most = this.#integer(5);
      if (this.#most > TABLE_BYTES) throw new HpackError('the table is larger than was agreed on');
      this.#evict();
      return undefined;
    }
    return this.#literal(this.#integer(4));
  }

  #literal(index: number): readonly [string, string] {
    const name = index === 0 ? this.#text() : this.#indexed(index)[0];
    return [name, this.#text()];
  }

  #indexed(index: number): readonly [string, string] {
    const entry = STATIC[index - 1] ?? this.#table[index - 1 - STATIC.length];
    if (!entry) throw new HpackError(`there is no entry ${index}`);
    return entry;
  }

  #keep(entry: readonly [string, string]): readonly [string, string] {
    this.#table.unshift(entry);
    this.#size += costOf(entry);
    this.#evict();
    return entry;
  }

  #evict(): void {
    while (this.#size > this.#most) {
      const entry = this.#table.pop();
      if (!entry) return;
      this.#size -= costOf(entry);
    }
  }

  #integer(bits: number): number {
    const most = 2 ** bits - 1;
    let value = this.#next() & most;
    if (value < most) return value;
    for (let factor = 1; ; factor *= 0x80) {
      if (factor > 2 ** 28) throw new HpackError('a number is too large');
      const byte = this.#next();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  }

  #next(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw new HpackError('the headers are cut short');
    return byte;
  }

  #text(): string {
    const isPacked = ((this.#bytes[this.#at] ?? 0) & 0x80) !== 0;
    const length = this.#integer(7);
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new HpackError('the headers are cut short');
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return (isPacked ? unpack(bytes) : bytes).toString('latin1');
  }
}

function costOf([name, value]: readonly [string, string]): number {
  return name.length + value.length + ENTRY_COST;
}

/** By the length of a code: the first code of it, and the bytes of its codes in their order. */
interface Codes {
  first: number;
  bytes: readonly number[];
}

let codes: readonly Codes[] | undefined;

function makeCodes(): readonly Codes[] {
  const lengths = [...CODE_LENGTHS].map((digit) => Number.parseInt(digit, 32));
  let code = 0;
  return Array.from({ length: LONGEST_CODE + 1 }, (_, length) => {
    const bytes = lengths.flatMap((own, byte) => (own === length && length > 0 ? byte : []));
    const first = code;
    code = (code + bytes.length) * 2;
    return { first, bytes };
  });
}

const LONGEST_CODE = 30;

/** Undoes the Huffman code of RFC 7541, bit by bit: headers are short. */
function unpack(packed: Buffer): Buffer {
  codes ??= makeCodes();
  const found: number[] = [];
  let code = 0;
  let length = 0;
  for (const byte of packed) {
    for (let bit = 7; bit >= 0; bit--) {
      code = code * 2 + ((byte >> bit) & 1);
      length++;
      const { first, bytes } = codes[length] ?? { first: 0, bytes: [] };
      const text = bytes[code - first];
      if (text !== undefined) {
        found.push(text);
        code = 0;
        length = 0;
      } else if (length >= LONGEST_CODE) throw new HpackError('a text is not packed as it should be');
    }
  }
  // What is left is the beginning of a code of ones.
  if (length > 7 || code !== 2 ** length - 1) throw new HpackError('a text is not packed as it should be');
  return Buffer.from(found);
}
