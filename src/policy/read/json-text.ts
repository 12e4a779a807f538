import { endOfString } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';
import type { Path } from '../rule.ts';

/** A syntax error in a JSON text. */
export class JsonSyntaxError extends Error {
  constructor(
    message: string,
    readonly offset: number,
  ) {
    super(message);
  }
}

/**
 * Walks a JSON text without building values: finds syntax errors, duplicate keys and the positions of paths. JSON.parse is
 * ten times as fast, so this only runs when there is something to report.
 */
class Scanner {
  #at = 0;
  readonly #text: string;
  /** Called with the path and the offset of each key (of an object's member) or value (of a list's item). */
  readonly #visit: (path: Path, offset: number, doubled: boolean) => void;
  readonly #path: (string | number)[] = [];

  constructor(text: string, visit: (path: Path, offset: number, doubled: boolean) => void) {
    this.#text = text;
    this.#visit = visit;
  }

  document(): void {
    this.#blank();
    this.#visit(this.#path, this.#at, false);
    this.#value();
    this.#blank();
    if (this.#at < this.#text.length) this.#fail(`unexpected ${this.#here()} after the end of the document`);
  }

  #fail(message: string): never {
    throw new JsonSyntaxError(message, Math.min(this.#at, this.#text.trimEnd().length));
  }

  #here(): string {
    if (this.#at >= this.#text.length) return 'end of the text';
    return JSON.stringify(this.#text[this.#at]);
  }

  #blank(): void {
    for (; this.#at < this.#text.length; this.#at++) {
      const c = this.#text.charCodeAt(this.#at);
      if (c !== 0x20 && c !== 0x0a && c !== 0x0d && c !== 0x09) return;
    }
  }

  #value(): void {
    switch (this.#text[this.#at]) {
      case '{':
        this.#object();
        return;
      case '[':
        this.#list();
        return;
      case '"':
        this.#string();
        return;
      default:
        this.#word();
        return;
    }
  }

  #object(): void {
    const keys = new Set<string>();
    this.#at++;
    this.#blank();
    if (this.#text[this.#at] === '}') {
      this.#at++;
      return;
    }
    for (;;) {
      const keyAt = this.#at;
      if (this.#text[this.#at] !== '"')
        this.#fail(`a field name in double quotes is expected, not ${this.#here()}`);
      const key = this.#string();
      this.#blank();
      if (this.#text[this.#at] !== ':')
        this.#fail(`":" is expected after the field name, not ${this.#here()}`);
      this.#at++;
      this.#blank();
      this.#path.push(key);
      this.#visit(this.#path, keyAt, keys.has(key));
      keys.add(key);
      this.#value();
      this.#path.pop();
      if (this.#ends('}')) return;
    }
  }

  #list(): void {
    this.#at++;
    this.#blank();
    if (this.#text[this.#at] === ']') {
      this.#at++;
      return;
    }
    for (let i = 0; ; i++) {
      this.#path.push(i);
      this.#visit(this.#path, this.#at, false);
      this.#value();
      this.#path.pop();
      if (this.#ends(']')) return;
    }
  }

  /** Steps over a comma, or over the end of the object or list. */
  #ends(close: string): boolean {
    this.#blank();
    const c = this.#text[this.#at];
    if (c !== ',' && c !== close) this.#fail(`"," or "${close}" is expected, not ${this.#here()}`);
    this.#at++;
    this.#blank();
    if (c === ',' && this.#text[this.#at] === close) this.#fail(`nothing stands between "," and "${close}"`);
    return c === close;
  }

  #string(): string {
    const from = this.#at;
    for (this.#at++; this.#at < this.#text.length; this.#at++) {
      const c = this.#text.charCodeAt(this.#at);
      if (c === 0x22) {
        this.#at++;
        const quoted = this.#text.slice(from, this.#at);
        try {
          return String(JSON.parse(quoted));
        } catch {
          this.#at = from;
          this.#fail(`${quoted} has an escape that JSON does not know`);
        }
      }
      if (c === 0x5c) this.#at++;
      else if (c < 0x20) this.#fail('a control character or line break stands inside a text');
    }
    this.#at = from;
    return this.#fail('this text has no closing quote');
  }

  #word(): void {
    const word = /^[^\s,:{}[\]"]*/.exec(this.#text.slice(this.#at, this.#at + 200))?.[0] ?? '';
    if (!/^(true|false|null|-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?)$/.test(word))
      this.#fail(word === '' ? `a value is expected, not ${this.#here()}` : `"${word}" is not a JSON value`);
    this.#at += word.length;
  }
}

/** Throws JsonSyntaxError where `text` stops being JSON. */
export function checkJson(text: string): void {
  new Scanner(text, () => {}).document();
}

/** The keys that an object holds twice: JSON.parse, whose `value` the text has, keeps the last, silently. */
export function doubledKeys(text: string, value: unknown): { path: Path; offset: number }[] {
  if (colonsIn(text) === keysIn(value)) return [];
  const found: { path: Path; offset: number }[] = [];
  new Scanner(text, (path, offset, doubled) => {
    if (doubled) found.push({ path: [...path], offset });
  }).document();
  return found;
}

/** Colons of JSON outside its strings: one for each key that is written. */
function colonsIn(text: string): number {
  let count = 0;
  for (let at = 0; at < text.length; at++) {
    const c = text.charCodeAt(at);
    if (c === 0x3a) count++;
    else if (c === 0x22) at = endOfString(text, at);
  }
  return count;
}

function keysIn(value: unknown): number {
  let count = 0;
  if (Array.isArray(value)) for (const item of value) count += keysIn(item);
  else if (isRecord(value)) {
    const keys = Object.keys(value);
    count = keys.length;
    for (const key of keys) count += keysIn(value[key]);
  }
  return count;
}

/** Deeper than any field of a policy; a text of nothing but brackets would take time and memory by the square. */
const DEEPEST = 40;

/** Offsets of every path of a JSON text that is not too deep, for look-ups by `pathKey`. The last of doubled keys wins, as in JSON.parse. */
export function indexJson(text: string): Map<string, number> {
  const index = new Map<string, number>();
  try {
    new Scanner(text, (path, offset) => {
      if (path.length <= DEEPEST) index.set(pathKey(path), offset);
    }).document();
  } catch (error) {
    if (!(error instanceof JsonSyntaxError)) throw error;
  }
  return index;
}

/** A path as one text. */
export function pathKey(path: Path): string {
  return JSON.stringify(path);
}
