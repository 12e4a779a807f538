import { UserError } from '../../errors.ts';

/** How a field is compared. */
export type Operator = '=' | '!=' | '~' | '!~' | '<' | '<=' | '>' | '>=' | 'in';

/** An expression over the fields of a flow. */
export type Expression =
  | { kind: 'and' | 'or'; parts: Expression[] }
  | { kind: 'not'; part: Expression }
  | { kind: 'test'; field: string; operator: Operator; values: string[]; at: number }
  /** A field by itself: it is set, or true. */
  | { kind: 'has'; field: string; at: number };

interface Token {
  kind: 'word' | 'text' | 'symbol' | 'end';
  text: string;
  at: number;
}

const SYMBOLS = [
  '==',
  '!=',
  '!~',
  '<=',
  '>=',
  '&&',
  '||',
  '=',
  '~',
  '<',
  '>',
  '!',
  '(',
  ')',
  '[',
  ']',
  ',',
] as const;
const OPERATORS: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '!=': '!=',
  '~': '~',
  '!~': '!~',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
  in: 'in',
};

/**
 * Parses `verdict = DROPPED and (dst.port in 8000..8999 or not src.label = "app=web")`. Operators are `= != ~ !~ < <=
 * > >= in`, joined by `and or not` (or `&& || !`) and parentheses; `in` takes a list in brackets, a range or a CIDR.
 * Throws UserError with a caret under the place.
 */
export function parseWhere(source: string): Expression {
  return new Parser(source).whole();
}

/** An error that shows where in the expression it is. */
export function whereError(source: string, at: number, problem: string, hint?: string): UserError {
  const caret = `  ${source}\n  ${' '.repeat(at)}^`;
  return new UserError(`--where: ${problem}\n${caret}`, { hint });
}

class Parser {
  #tokens: Token[];
  #next = 0;

  constructor(readonly source: string) {
    this.#tokens = tokenize(source);
  }

  get #token(): Token {
    return this.#tokens[this.#next] ?? { kind: 'end', text: '', at: this.source.length };
  }

  #take(...texts: string[]): boolean {
    const { kind, text } = this.#token;
    if (
      (kind !== 'symbol' && kind !== 'word') ||
      !texts.includes(kind === 'word' ? text.toLowerCase() : text)
    )
      return false;
    this.#next++;
    return true;
  }

  #fail(expected: string): never {
    const { kind, text, at } = this.#token;
    const found = kind === 'end' ? 'the end' : `"${text}"`;
    throw whereError(this.source, at, `expected ${expected}, found ${found}`);
  }

  whole(): Expression {
    const expression = this.#or();
    if (this.#token.kind !== 'end') this.#fail('"and", "or" or the end');
    return expression;
  }

  #or(): Expression {
    return this.#chain('or', () => this.#and(), 'or', '||');
  }

  #and(): Expression {
    return this.#chain('and', () => this.#unary(), 'and', '&&');
  }

  #chain(kind: 'and' | 'or', part: () => Expression, ...words: string[]): Expression {
    const first = part();
    const parts = [first];
    while (this.#take(...words)) parts.push(part());
    return parts.length === 1 ? first : { kind, parts };
  }

  #unary(): Expression {
    if (this.#take('not', '!')) return { kind: 'not', part: this.#unary() };
    if (this.#take('(')) {
      const inner = this.#or();
      if (!this.#take(')')) this.#fail('")"');
      return inner;
    }
    return this.#test();
  }

  #test(): Expression {
    const { kind, text: field, at } = this.#token;
    if (kind !== 'word') this.#fail('the name of a field');
    this.#next++;
    const operator = OPERATORS[this.#token.kind === 'end' ? '' : this.#token.text.toLowerCase()];
    if (!operator) return { kind: 'has', field, at };
    this.#next++;
    return { kind: 'test', field, operator, values: operator === 'in' ? this.#list() : [this.#value()], at };
  }

  #list(): string[] {
    const close = this.#take('[') ? ']' : this.#take('(') ? ')' : undefined;
    if (!close) return [this.#value()];
    const values: string[] = [];
    do values.push(this.#value());
    while (this.#take(','));
    if (!this.#take(close)) this.#fail(`"," or "${close}"`);
    return values;
  }

  #value(): string {
    const { kind, text } = this.#token;
    if (kind !== 'word' && kind !== 'text') this.#fail('a value');
    this.#next++;
    return text;
  }
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < source.length) {
    const c = source[at] ?? '';
    if (/\s/.test(c)) {
      at++;
    } else if (c === '"' || c === "'") {
      const { text, end } = quoted(source, at);
      tokens.push({ kind: 'text', text, at });
      at = end;
    } else {
      const symbol = SYMBOLS.find((s) => source.startsWith(s, at));
      const word = symbol ? '' : (/^[^\s"'()[\],=!<>~&|]+/.exec(source.slice(at))?.[0] ?? '');
      if (!symbol && word === '') throw whereError(source, at, `"${c}" has no meaning here`);
      tokens.push({ kind: symbol ? 'symbol' : 'word', text: symbol ?? word, at });
      at += (symbol ?? word).length;
    }
  }
  return tokens;
}

function quoted(source: string, start: number): { text: string; end: number } {
  const quote = source[start];
  let text = '';
  for (let at = start + 1; at < source.length; at++) {
    const c = source[at] ?? '';
    if (c === quote) return { text, end: at + 1 };
    if (c === '\\' && (source[at + 1] === quote || source[at + 1] === '\\')) text += source[++at];
    else text += c;
  }
  throw whereError(source, start, 'the quote is not closed');
}
