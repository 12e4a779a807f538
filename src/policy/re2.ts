/** A fault of a regular expression, in the words of Go's regexp package. */
export class Re2Error extends Error {}

const POSIX: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  ascii: '\\x00-\\x7f',
  blank: '\\t ',
  cntrl: '\\x00-\\x1f\\x7f',
  digit: '0-9',
  graph: '!-~',
  lower: 'a-z',
  print: ' -~',
  punct: '!-\\/:-@\\[-`{-~',
  space: '\\t\\n\\v\\f\\r ',
  upper: 'A-Z',
  word: '0-9A-Za-z_',
  xdigit: '0-9A-Fa-f',
};

const MAX_REPEAT = 1000;

/**
 * Compiles an RE2 expression, the dialect of the agent and of Envoy, to a RegExp. Throws Re2Error for what RE2 refuses,
 * look-around and back references among it. The RegExp finds the same matches; it does not promise RE2's linear time.
 */
export function compileRe2(source: string): RegExp {
  const translator = new Translator(source);
  const pattern = translator.run();
  try {
    return new RegExp(pattern, `u${translator.flags}`);
  } catch (error) {
    throw new Re2Error(
      `error parsing regexp: ${error instanceof Error ? error.message : error}: \`${source}\``,
    );
  }
}

class Translator {
  flags = '';
  #at = 0;
  #depth = 0;
  #out = '';
  /** Where the piece that a repetition would apply to begins in the source; undefined where there is none. */
  #piece: number | undefined;

  constructor(private readonly source: string) {}

  run(): string {
    while (this.#at < this.source.length) this.#step();
    if (this.#depth > 0) throw this.#error('missing closing )', this.source);
    return this.#out;
  }

  #error(what: string, part: string): Re2Error {
    return new Re2Error(`error parsing regexp: ${what}: \`${part}\``);
  }

  #emit(pattern: string, from: number): void {
    this.#out += pattern;
    this.#piece = from;
  }

  #step(): void {
    const from = this.#at;
    const c = this.source[this.#at++] ?? '';
    switch (c) {
      case '(':
        this.#group(from);
        return;
      case ')':
        if (this.#depth-- === 0) throw this.#error('unexpected )', this.source);
        this.#emit(')', from);
        return;
      case '|':
        this.#out += '|';
        this.#piece = undefined;
        return;
      case '*':
      case '+':
      case '?':
        this.#repeat(c, from);
        return;
      case '{':
        this.#bounded(from);
        return;
      case '}':
      case ']':
        this.#emit(`\\${c}`, from);
        return;
      case '[':
        this.#emit(this.#set(from), from);
        return;
      case '\\':
        this.#emit(this.#escape(from), from);
        return;
      default: {
        const point = this.source.codePointAt(from) ?? 0;
        this.#at = from + (point > 0xffff ? 2 : 1);
        this.#emit(c === '/' ? '\\/' : String.fromCodePoint(point), from);
        return;
      }
    }
  }

  #repeat(operator: string, from: number): void {
    if (this.#piece === undefined)
      throw this.#error('missing argument to repetition operator', this.source.slice(from, this.#at));
    this.#lazyThenNothing(operator, from);
  }

  #bounded(from: number): void {
    const match = /^\{(\d+)(?:,(\d*))?\}/.exec(this.source.slice(from));
    if (!match) {
      this.#emit('\\{', from);
      return;
    }
    this.#at = from + match[0].length;
    const low = Number(match[1]);
    const high = match[2] === undefined ? low : match[2] === '' ? -1 : Number(match[2]);
    if (low > MAX_REPEAT || high > MAX_REPEAT || (high >= 0 && low > high))
      throw this.#error('invalid repeat count', match[0]);
    if (this.#piece === undefined) throw this.#error('missing argument to repetition operator', match[0]);
    this.#lazyThenNothing(match[0], from);
  }

  #lazyThenNothing(operator: string, from: number): void {
    this.#out += operator;
    if (this.source[this.#at] === '?') this.#out += this.source[this.#at++];
    const next = /^([*+?]|\{\d+(,\d*)?\})/.exec(this.source.slice(this.#at));
    if (next)
      throw this.#error(
        'invalid nested repetition operator',
        this.source.slice(from, this.#at + next[0].length),
      );
  }

  #group(from: number): void {
    this.#piece = undefined;
    const rest = this.source.slice(from);
    if (!rest.startsWith('(?')) {
      this.#depth++;
      this.#out += '(';
      return;
    }
    const named = /^\(\?P?<([A-Za-z_]\w*)>/.exec(rest);
    if (named) {
      this.#at = from + named[0].length;
      this.#depth++;
      this.#out += `(?<${named[1]}>`;
      return;
    }
    if (/^\(\?(<?[=!]|>|#)/.test(rest)) {
      const syntax = /^\(\?(<?[=!]|>|#)/.exec(rest)?.[0] ?? '(?';
      throw this.#error('invalid or unsupported Perl syntax', syntax);
    }
    const flags = /^\(\?([imsU]*)(?:-([imsU]+))?([:)])/.exec(rest);
    if (!flags) throw this.#error('invalid or unsupported Perl syntax', rest.slice(0, 3));
    this.#at = from + flags[0].length;
    this.#applyFlags(flags[1] ?? '', flags[2] ?? '', flags[3] === ':', from);
  }

  #applyFlags(on: string, off: string, grouped: boolean, from: number): void {
    const known = (flags: string) => flags.replace(/[^ims]/g, '');
    if (grouped) {
      this.#depth++;
      const minus = known(off) && `-${known(off)}`;
      this.#out += `(?${known(on)}${minus}:`;
      return;
    }
    // Flags in the middle would need the rest of the group wrapped; at the front they are those of the whole.
    if (from === 0) for (const flag of known(on)) if (!this.flags.includes(flag)) this.flags += flag;
  }

  #escape(from: number): string {
    const c = this.source[this.#at++];
    if (c === undefined) throw this.#error('trailing backslash at end of expression', '');
    if (c >= '1' && c <= '9') throw this.#error('invalid escape sequence', this.source.slice(from, this.#at));
    if (c === 'Q') {
      const end = this.source.indexOf('\\E', this.#at);
      const quoted = this.source.slice(this.#at, end === -1 ? undefined : end);
      this.#at = end === -1 ? this.source.length : end + 2;
      return quoted.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
    }
    if (c === 'A') return '(?<![\\s\\S])';
    if (c === 'z') return '(?![\\s\\S])';
    if (c === 'C') return '[\\s\\S]';
    if (c === 'p' || c === 'P') return this.#unicodeClass(c, from);
    if (/[bBdDsSwW]/.test(c)) return `\\${c}`;
    return this.#literalEscape(c, from);
  }

  #unicodeClass(c: string, from: number): string {
    const match = /^(?:\{(\^?)(\w+)\}|(\w))/.exec(this.source.slice(this.#at));
    if (!match) throw this.#error('invalid character class range', this.source.slice(from, this.#at));
    this.#at += match[0].length;
    const name = match[2] ?? match[3] ?? '';
    const negated = (c === 'P') !== (match[1] === '^');
    const property = name.length <= 2 ? name : `Script=${name}`;
    return `\\${negated ? 'P' : 'p'}{${property}}`;
  }

  /** An escape that stands for one character, in and out of a set. */
  #literalEscape(c: string, from: number): string {
    if (/[abefnrtv0x]/.test(c)) {
      if (c === 'a') return '\\x07';
      if (/[fnrtv]/.test(c)) return `\\${c}`;
      const number =
        c === 'x' ? /^(?:\{([0-9a-fA-F]+)\}|([0-9a-fA-F]{2}))/.exec(this.source.slice(this.#at)) : null;
      if (c === 'x' && number) {
        this.#at += number[0].length;
        return `\\u{${number[1] ?? number[2]}}`;
      }
      if (c === '0') {
        const octal = /^[0-7]{0,2}/.exec(this.source.slice(this.#at))?.[0] ?? '';
        this.#at += octal.length;
        return `\\u{${Number.parseInt(octal || '0', 8).toString(16)}}`;
      }
      throw this.#error('invalid escape sequence', this.source.slice(from, this.#at));
    }
    if (/[A-Za-z]/.test(c)) throw this.#error('invalid escape sequence', this.source.slice(from, this.#at));
    return /[\\^$.*+?()[\]{}|/-]/.test(c) ? `\\${c === '-' ? 'x2d' : c}` : c;
  }

  #set(from: number): string {
    let out = '[';
    if (this.source[this.#at] === '^') out += this.source[this.#at++];
    let first = true;
    // JavaScript wants a dash beside a class (`[\w-.]`) escaped; RE2 takes it as it is.
    let afterClass = false;
    for (;;) {
      const at = this.#at;
      const c = this.source[this.#at++];
      if (c === undefined) throw this.#error('missing closing ]', this.source.slice(from));
      if (c === ']' && !first) return `${out}]`;
      first = false;
      const posix = /^\[:(\^?)(\w+):\]/.exec(this.source.slice(at, at + 20));
      const wasClass: boolean = afterClass;
      afterClass = false;
      if (posix) {
        afterClass = true;
        const members = POSIX[posix[2] ?? ''];
        if (members === undefined) throw this.#error('invalid character class range', posix[0]);
        this.#at = at + posix[0].length;
        out += posix[1] ? `\\P{ASCII}${complementOf(members)}` : members;
      } else if (c === '\\') {
        const next = this.source[this.#at] ?? '';
        afterClass = /[dDsSwWpP]/.test(next);
        out += afterClass ? this.#escape(at) : this.#setEscape(at);
      } else if (c === '-' && (wasClass || /^(\\[dDsSwWpP]|\[:)/.test(this.source.slice(this.#at)))) {
        out += '\\x2d';
      } else out += /[[\]{}()|/\\^$.*+?]/.test(c) ? `\\${c}` : c;
    }
  }

  #setEscape(from: number): string {
    const c = this.source[this.#at++];
    if (c === undefined) throw this.#error('missing closing ]', this.source);
    return this.#literalEscape(c, from);
  }
}

function complementOf(members: string): string {
  const inside = new RegExp(`[${members}]`, 'u');
  let out = '';
  for (let code = 0; code < 0x80; code++) {
    if (!inside.test(String.fromCharCode(code))) out += `\\x${code.toString(16).padStart(2, '0')}`;
  }
  return out;
}
