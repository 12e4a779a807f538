/** A place in JSON text: line and column from 1, and the token that stands there. */
export interface Position {
  line: number;
  column: number;
  token: string;
}

const TOKEN =
  /\s*(?:("(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)|(true|false|null)|([{}[\]:,]))/y;

interface Token {
  text: string;
  offset: number;
}

/** Walks valid JSON to the step at the end of `path`: the name of its last step, or its value. */
export function positionOf(text: string, path: readonly (string | number)[], atName: boolean): Position {
  const reader = new TokenReader(text);
  let token = reader.next();
  for (const [depth, step] of path.entries()) {
    const found = find(reader, step);
    if (!found) break;
    if (atName && depth === path.length - 1) return place(text, found);
    if (typeof step === 'string') {
      reader.next();
      token = reader.next();
    } else token = found;
  }
  return place(text, token);
}

/** Finds the name of a member, or the first token of an element; the reader stands behind the bracket before, and behind it after. */
function find(reader: TokenReader, step: string | number): Token | undefined {
  let at = 0;
  for (let token = reader.next(); !['}', ']', ''].includes(token.text); token = reader.next()) {
    if (token.text === ',') continue;
    if (step === (typeof step === 'number' ? at++ : JSON.parse(token.text))) return token;
    if (typeof step === 'string') reader.next();
    reader.skipValue(typeof step === 'string' ? reader.next() : token);
  }
  return undefined;
}

/** Says where text stops being JSON, as protobuf's library does. */
export function syntaxFault(text: string): string {
  const reader = new TokenReader(text);
  const open: string[] = [];
  let before = '';
  for (;;) {
    const token = reader.next();
    if (token.text === '') {
      const rest = text.slice(token.offset);
      if (rest.trim() === '')
        return before === '' || open.length > 0
          ? `syntax error ${lineColumn(text, token.offset)}: unexpected token `
          : `syntax error ${lineColumn(text, token.offset)}: unexpected token ${shown(before)}`;
      const start = token.offset + (/^\s*/.exec(rest)?.[0].length ?? 0);
      const word = /^(?:"[^"]*"?|[^\s{}[\]:,"]+|.)/s.exec(text.slice(start))?.[0] ?? '';
      return `syntax error ${lineColumn(text, start)}: invalid value ${shown(word)}`;
    }
    if (!fits(token.text, before, open))
      return `syntax error ${lineColumn(text, token.offset)}: unexpected token ${shown(token.text)}`;
    if (token.text === '{' || token.text === '[') open.push(token.text);
    else if (token.text === '}' || token.text === ']') open.pop();
    before = token.text;
  }
}

/** Whether a token may follow another one inside the innermost open bracket. */
function fits(token: string, before: string, open: readonly string[]): boolean {
  const inside = open.at(-1);
  const starts = before === '' || before === '[' || before === ':' || (before === ',' && inside === '[');
  switch (token) {
    case ':':
      return inside === '{' && before.startsWith('"');
    case ',':
      return inside !== undefined && !'{[:,'.includes(before);
    case '}':
      return inside === '{' && before !== ':' && before !== ',';
    case ']':
      return inside === '[' && before !== ',';
    default:
      if (token.startsWith('"') && inside === '{' && (before === '{' || before === ',')) return true;
      return starts && !(before === '[' && inside !== '[');
  }
}

class TokenReader {
  readonly #pattern = new RegExp(TOKEN);

  constructor(readonly text: string) {}

  /** The next token; empty text where there is none. */
  next(): Token {
    const from = this.#pattern.lastIndex;
    const match = this.#pattern.exec(this.text);
    if (!match) {
      this.#pattern.lastIndex = from;
      return { text: '', offset: from };
    }
    const text = match[1] ?? match[2] ?? match[3] ?? match[4] ?? '';
    return { text, offset: this.#pattern.lastIndex - text.length };
  }

  skipValue(first: Token): void {
    let depth = 0;
    for (let token = first; token.text !== ''; token = this.next()) {
      if (token.text === '{' || token.text === '[') depth++;
      else if (token.text === '}' || token.text === ']') depth--;
      if (depth === 0) return;
    }
  }
}

function place(text: string, token: Token): Position {
  const [line, column] = lineAndColumn(text, token.offset);
  return { line, column, token: shown(token.text) };
}

/** A token may be all of a line. */
function shown(token: string): string {
  return token.length > 500 ? `${token.slice(0, 500)}…` : token;
}

function lineColumn(text: string, offset: number): string {
  const [line, column] = lineAndColumn(text, offset);
  return `(line ${line}:${column})`;
}

function lineAndColumn(text: string, offset: number): [number, number] {
  let [line, column] = [1, 1];
  for (let at = 0; at < offset; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x0a) [line, column] = [line + 1, 1];
    // The second half of a pair is no character of its own.
    else if (code < 0xdc00 || code > 0xdfff) column++;
  }
  return [line, column];
}
