/** The text is YAML that no program writes on its own, or none: it is to be read by a whole parser. */
export class OtherYaml extends Error {
  override name = 'OtherYaml';
}

const MAX_DEPTH = 200;

/**
 * Reads the YAML that programs write of values: blocks, plain and quoted texts, literal texts and empty brackets. It takes
 * a tenth of the time of a whole parser, for lists of thousands of objects. Throws OtherYaml for anything else.
 */
export function parseBlockYaml(text: string): unknown {
  const lines = text.split('\n');
  while (lines.length > 0 && lines.at(-1)?.trim() === '') lines.pop();
  return new BlockReader(lines).document();
}

class BlockReader {
  #at = 0;
  #depth = 0;

  constructor(private readonly lines: string[]) {}

  document(): unknown {
    this.#skipBlank();
    if (this.lines[this.#at] === '---') this.#at++;
    const value = this.#node(0);
    this.#skipBlank();
    if (this.#at < this.lines.length) throw new OtherYaml('something follows');
    return value;
  }

  #skipBlank(): void {
    while (this.#at < this.lines.length && (this.lines[this.#at] ?? '').trim() === '') this.#at++;
  }

  /** The block at the next line, which is indented by `least` or more; null where there is none. */
  #node(least: number): unknown {
    this.#skipBlank();
    const line = this.lines[this.#at];
    if (line === undefined) return null;
    const indent = indentOf(line);
    if (indent < least) return null;
    if (++this.#depth > MAX_DEPTH) throw new OtherYaml('too deep');
    try {
      return isDash(line, indent) ? this.#list(indent) : this.#mapOrText(indent);
    } finally {
      this.#depth--;
    }
  }

  #list(indent: number): unknown[] {
    const items: unknown[] = [];
    for (;;) {
      this.#skipBlank();
      const line = this.lines[this.#at];
      if (line === undefined || indentOf(line) !== indent || !isDash(line, indent)) return items;
      const rest = line.slice(indent + 1);
      if (rest.trim() === '') {
        this.#at++;
        items.push(this.#node(indent + 1));
        continue;
      }
      // What stands behind the dash is a block of its own, indented as it stands.
      this.lines[this.#at] = `${' '.repeat(indent + 1)}${rest}`;
      const inner = indentOf(this.lines[this.#at] ?? '');
      const text = rest.trimStart();
      if (isDash(this.lines[this.#at] ?? '', inner) || keyOf(text)) items.push(this.#node(inner));
      else {
        this.#at++;
        items.push(this.#value(text, indent));
      }
    }
  }

  #mapOrText(indent: number): unknown {
    const first = (this.lines[this.#at] ?? '').slice(indent);
    if (!keyOf(first)) {
      this.#at++;
      return this.#value(first, indent - 1);
    }
    const map: Record<string, unknown> = {};
    for (;;) {
      this.#skipBlank();
      const line = this.lines[this.#at];
      if (line === undefined || indentOf(line) !== indent || isDash(line, indent)) return map;
      const found = keyOf(line.slice(indent));
      if (!found || found.key === '__proto__') throw new OtherYaml(`no key: ${line}`);
      this.#at++;
      map[found.key] = found.rest === '' ? this.#below(indent) : this.#value(found.rest, indent);
    }
  }

  /** The value of a key that nothing stands behind: what is indented below it, or a list that is not. */
  #below(indent: number): unknown {
    this.#skipBlank();
    const next = this.lines[this.#at];
    if (next === undefined) return null;
    const at = indentOf(next);
    if (at > indent) return this.#node(indent + 1);
    return at === indent && isDash(next, at) ? this.#list(at) : null;
  }

  /** A value whose text begins behind a key or a dash. `indent` is that of the key. */
  #value(text: string, indent: number): unknown {
    switch (text.charCodeAt(0)) {
      case 0x22: // "
        return this.#quoted(text, indent, '"');
      case 0x27: // '
        return this.#quoted(text, indent, "'");
      case 0x7c: // |
        return this.#literal(text, indent);
      case 0x7b: // {
        if (text.trimEnd() === '{}') return {};
        throw new OtherYaml('braces');
      case 0x5b: // [
        if (text.trimEnd() === '[]') return [];
        throw new OtherYaml('brackets');
    }
    if (/^[>&*!%@`?#,\]}]/.test(text) || text.includes(' #')) throw new OtherYaml(text);
    let whole = text.trimEnd();
    let blank = 0;
    // What is indented further goes on with a plain text.
    for (; this.#at < this.lines.length; this.#at++) {
      const line = this.lines[this.#at] ?? '';
      if (line.trim() === '') {
        blank++;
        continue;
      }
      if (indentOf(line) <= indent) break;
      const more = line.trim();
      if (more.includes(': ') || more.endsWith(':') || more.includes(' #')) throw new OtherYaml(more);
      whole += (blank > 0 ? '\n'.repeat(blank) : ' ') + more;
      blank = 0;
    }
    if (blank > 0) this.#at -= blank;
    return plain(whole);
  }

  #quoted(text: string, indent: number, quote: '"' | "'"): string {
    let whole = text;
    let end = endOfQuoted(whole, quote);
    while (end < 0) {
      let blank = 0;
      while ((this.lines[this.#at] ?? '').trim() === '' && this.#at < this.lines.length) {
        blank++;
        this.#at++;
      }
      const line = this.lines[this.#at];
      if (line === undefined || indentOf(line) <= indent) throw new OtherYaml('a quote without an end');
      this.#at++;
      const isEscaped = quote === '"' && /(?:^|[^\\])(?:\\\\)*\\$/.test(whole);
      if (isEscaped) whole = whole.slice(0, -1) + '\n'.repeat(blank) + line.trimStart();
      else whole = whole.trimEnd() + (blank > 0 ? '\n'.repeat(blank) : ' ') + line.trimStart();
      end = endOfQuoted(whole, quote);
    }
    if (whole.slice(end + 1).trim() !== '') throw new OtherYaml('something stands behind a quote');
    const inner = whole.slice(1, end);
    return quote === '"' ? withoutEscapes(inner) : inner.replaceAll("''", "'");
  }

  #literal(text: string, indent: number): string {
    const [, digit, chomp] = /^\|(\d?)([-+]?)(?:\d?)\s*$/.exec(text) ?? [];
    if (chomp === undefined) throw new OtherYaml(text);
    const parts: string[] = [];
    let depth = digit ? Math.max(indent, 0) + Number(digit) : undefined;
    for (; this.#at < this.lines.length; this.#at++) {
      const line = this.lines[this.#at] ?? '';
      if (line.trim() === '' && (depth === undefined || line.length <= depth)) {
        parts.push('');
        continue;
      }
      const at = indentOf(line);
      depth ??= at > indent ? at : undefined;
      if (depth === undefined || at < depth) break;
      parts.push(line.slice(depth));
    }
    let whole = parts.join('\n');
    if (chomp === '+') return parts.length > 0 ? `${whole}\n` : '';
    whole = whole.replace(/\n+$/, '');
    return chomp === '-' || whole === '' ? whole : `${whole}\n`;
  }
}

function indentOf(line: string): number {
  let at = 0;
  while (line.charCodeAt(at) === 0x20) at++;
  if (line.charCodeAt(at) === 0x09) throw new OtherYaml('a tab');
  return at;
}

function isDash(line: string, indent: number): boolean {
  return (
    line.charCodeAt(indent) === 0x2d && (line.length === indent + 1 || line.charCodeAt(indent + 1) === 0x20)
  );
}

/** The key that a line begins with, and what stands behind it. */
function keyOf(text: string): { key: string; rest: string } | undefined {
  const first = text.charCodeAt(0);
  if (first === 0x22 || first === 0x27) {
    const quote = first === 0x22 ? '"' : "'";
    const end = endOfQuoted(text, quote);
    if (end < 0 || text.charCodeAt(end + 1) !== 0x3a) return undefined;
    if (end + 2 < text.length && text.charCodeAt(end + 2) !== 0x20) return undefined;
    const inner = text.slice(1, end);
    return {
      key: quote === '"' ? withoutEscapes(inner) : inner.replaceAll("''", "'"),
      rest: text.slice(end + 2).trimStart(),
    };
  }
  for (let at = text.indexOf(':'); at > 0; at = text.indexOf(':', at + 1)) {
    const next = text.charCodeAt(at + 1);
    if (at + 1 === text.length) return { key: text.slice(0, at), rest: '' };
    if (next !== 0x20) continue;
    const key = text.slice(0, at);
    if (/^[[{&*!|>%@`?#,\]}]/.test(key)) throw new OtherYaml(key);
    return { key, rest: text.slice(at + 1).trim() };
  }
  return undefined;
}

/** Where a quoted text ends that begins with its quote; -1 where it does not. */
function endOfQuoted(text: string, quote: '"' | "'"): number {
  for (let at = 1; at < text.length; at++) {
    const c = text[at];
    if (c === '\\' && quote === '"') at++;
    else if (c === quote) {
      if (quote === '"' || text[at + 1] !== "'") return at;
      at++;
    }
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  '"': '"',
  '\\': '\\',
  '/': '/',
  ' ': ' ',
  '0': '\0',
  a: '\x07',
  b: '\b',
  v: '\v',
  f: '\f',
  e: String.fromCharCode(27),
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029',
};

function withoutEscapes(text: string): string {
  if (!text.includes('\\')) return text;
  return text.replace(
    /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]))/g,
    (_, x, u, U, c) => {
      const code = x ?? u ?? U;
      if (code !== undefined) {
        const point = Number.parseInt(code, 16);
        if (point > 0x10ffff) throw new OtherYaml('no character');
        return String.fromCodePoint(point);
      }
      const known = ESCAPES[c];
      if (known === undefined) throw new OtherYaml(`\\${c}`);
      return known;
    },
  );
}

/** What a text without quotes stands for. */
function plain(text: string): unknown {
  switch (text) {
    case 'null':
    case 'Null':
    case 'NULL':
    case '~':
    case '':
      return null;
    case 'true':
    case 'True':
    case 'TRUE':
      return true;
    case 'false':
    case 'False':
    case 'FALSE':
      return false;
  }
  const c = text.charCodeAt(0);
  const mayBeNumber = (c >= 0x30 && c <= 0x39) || c === 0x2d || c === 0x2b || c === 0x2e;
  if (!mayBeNumber) return text;
  if (/^[-+]?(?:0|[1-9]\d*)$/.test(text)) return Number(text);
  if (/^[-+]?(?:\d+\.\d*|\.\d+|\d+)(?:[eE][-+]?\d+)?$/.test(text) && !/^[-+]?0\d/.test(text))
    return Number(text);
  if (/^[-+]?(?:0\d+$|0[xob]|\.inf|\.nan)/i.test(text)) throw new OtherYaml(text);
  return text;
}
