const [QUOTE, BACKSLASH, COLON] = [0x22, 0x5c, 0x3a];
/** Longer texts are not what anybody looks for. */
const MAX_VALUE = 4096;

/** Finds one field of all objects at one depth of a JSON text as it comes, without holding the text. */
export class JsonFields {
  /** What the field holds, as text. Objects and lists are left out. */
  readonly values: string[] = [];
  #depth = 0;
  #first = 0;
  #isText = false;
  #isEscaped = false;
  /** What is being read at the depth. */
  #bytes: number[] = [];
  #isValue = false;

  /** The outermost object or list has depth 1. */
  constructor(
    private readonly name: string,
    private readonly depth: number,
  ) {}

  push(bytes: Uint8Array): void {
    for (const byte of bytes)
      if (this.#isText) this.#inText(byte);
      else this.#between(byte);
  }

  /** Whether what came was one object or list, or null, with all that belongs to it. */
  get isWhole(): boolean {
    return this.#depth === 0 && !this.#isText && '[{n'.includes(String.fromCharCode(this.#first));
  }

  #inText(byte: number): void {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (byte === BACKSLASH) this.#isEscaped = true;
    else if (byte === QUOTE) this.#isText = false;
    this.#keep(byte);
  }

  #between(byte: number): void {
    if (byte <= 0x20) return;
    this.#first ||= byte;
    switch (byte) {
      case QUOTE:
        this.#isText = true;
        this.#keep(byte);
        return;
      case COLON:
        if (this.#depth !== this.depth) return;
        this.#isValue = this.#taken() === this.name;
        return;
      case 0x7b: // {
      case 0x5b: // [
        this.#depth++;
        this.#isValue = false;
        return;
      case 0x7d: // }
      case 0x5d: // ]
      case 0x2c: // ,
        this.#endOfValue();
        if (byte !== 0x2c) this.#depth--;
        return;
      default:
        this.#keep(byte);
    }
  }

  #endOfValue(): void {
    if (this.#depth !== this.depth) return;
    const value = this.#taken();
    if (this.#isValue && value !== undefined) this.values.push(value);
    this.#isValue = false;
  }

  #keep(byte: number): void {
    if (this.#depth === this.depth && this.#bytes.length <= MAX_VALUE) this.#bytes.push(byte);
  }

  /** What was read since the last mark between values; undefined where it is no scalar. */
  #taken(): string | undefined {
    const text = Buffer.from(this.#bytes).toString('utf8');
    this.#bytes = [];
    if (text === '' || text.length > MAX_VALUE) return undefined;
    try {
      return text.startsWith('"') ? String(JSON.parse(text)) : text;
    } catch {
      return undefined;
    }
  }
}
