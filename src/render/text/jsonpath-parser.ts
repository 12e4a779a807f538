import { UserError } from '../../errors.ts';

/** One step of a path, from the values so far to the next ones. */
export type Step =
  | { kind: 'field'; name: string }
  | { kind: 'wildcard' }
  | { kind: 'recursive' }
  | { kind: 'slice'; from: number | undefined; to: number | undefined; step: number; single: boolean }
  | { kind: 'union'; members: Step[][] }
  | { kind: 'filter'; left: Operand; operator: Operator; right: Operand | undefined };

export type Operator = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'exists';

/** A side of a filter: a path from `@` or `$`, or a constant. */
export type Operand =
  | { kind: 'path'; root: boolean; steps: Step[] }
  | { kind: 'literal'; value: string | number | boolean };

/** A piece of a template. */
export type Node =
  | { kind: 'text'; text: string }
  | { kind: 'path'; root: boolean; steps: Step[] }
  | { kind: 'range'; steps: Step[]; root: boolean; body: Node[] };

/** Parses a kubectl-style JSONPath template: text outside braces is kept, `{…}` holds paths, literals, range and end. */
export function parseTemplate(template: string): Node[] {
  return new Parser(template).template();
}

class Parser {
  #at = 0;
  constructor(readonly source: string) {}

  #fail(problem: string): never {
    throw new UserError(`Couldn't parse jsonpath expression: '${this.source}': ${problem}`, {
      hint: "Expected a template such as '{.items[*].id}' or '{range .items[*]}{.id}{\"\\n\"}{end}'.",
    });
  }

  template(): Node[] {
    const stack: { nodes: Node[]; range?: Extract<Node, { kind: 'range' }> }[] = [{ nodes: [] }];
    const top = () => stack.at(-1) ?? this.#fail('unbalanced end');
    while (this.#at < this.source.length) {
      const open = this.source.indexOf('{', this.#at);
      const textEnd = open === -1 ? this.source.length : open;
      if (textEnd > this.#at) top().nodes.push({ kind: 'text', text: this.source.slice(this.#at, textEnd) });
      if (open === -1) break;
      this.#at = open + 1;
      this.#action(stack, top);
    }
    if (stack.length > 1) this.#fail('range without end');
    return top().nodes;
  }

  #action(
    stack: { nodes: Node[]; range?: Extract<Node, { kind: 'range' }> }[],
    top: () => { nodes: Node[] },
  ): void {
    for (let first = true; ; first = false) {
      this.#blanks();
      const c = this.source[this.#at];
      if (c === undefined) this.#fail('unclosed action');
      if (c === '}') {
        this.#at++;
        // An empty action is the current object.
        if (first) top().nodes.push({ kind: 'path', root: false, steps: [] });
        return;
      }
      if (c === '"' || c === "'") {
        top().nodes.push({ kind: 'text', text: this.#string() });
      } else if (this.#word('range')) {
        this.#blanks();
        const { root, steps } = this.#path();
        const range: Extract<Node, { kind: 'range' }> = { kind: 'range', root, steps, body: [] };
        top().nodes.push(range);
        stack.push({ nodes: range.body, range });
      } else if (this.#word('end')) {
        if (stack.length === 1) this.#fail('not in range, nothing to end');
        stack.pop();
      } else {
        const number = /^-?\d+(\.\d+)?/.exec(this.source.slice(this.#at));
        if (number) {
          this.#at += number[0].length;
          top().nodes.push({ kind: 'text', text: number[0] });
        } else {
          this.#identifier();
          top().nodes.push({ kind: 'path', ...this.#path() });
        }
      }
    }
  }

  /** A bare word is none of the language: `{n}` is no newline, `{id}` no field. */
  #identifier(): void {
    const word = /^[A-Za-z_]\w*/.exec(this.source.slice(this.#at))?.[0];
    if (word !== undefined) this.#fail(`unrecognized identifier ${word}`);
  }

  #blanks(): void {
    while (/\s/.test(this.source[this.#at] ?? '')) this.#at++;
  }

  #word(word: string): boolean {
    if (!this.source.startsWith(word, this.#at) || /\w/.test(this.source[this.#at + word.length] ?? ''))
      return false;
    this.#at += word.length;
    return true;
  }

  #string(): string {
    const quote = this.source[this.#at++];
    let text = '';
    for (;;) {
      const c = this.source[this.#at++];
      if (c === undefined) this.#fail('unterminated quoted string');
      if (c === quote) return text;
      if (c !== '\\') text += c;
      else text += this.#escape(this.source[this.#at++]);
    }
  }

  #escape(c: string | undefined): string {
    switch (c) {
      case undefined:
        return this.#fail('unterminated quoted string');
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'u': {
        const hex = this.source.slice(this.#at, this.#at + 4);
        this.#at += 4;
        return String.fromCharCode(Number.parseInt(hex, 16) || 0);
      }
      default:
        return c;
    }
  }

  #path(): { root: boolean; steps: Step[] } {
    const steps: Step[] = [];
    let root = false;
    const start = this.#at;
    if (this.source[this.#at] === '$') {
      root = true;
      this.#at++;
    } else if (this.source[this.#at] === '@') this.#at++;
    for (;;) {
      const c = this.source[this.#at];
      if (c === '.') {
        this.#at++;
        const recursive = this.source[this.#at] === '.';
        if (recursive) {
          this.#at++;
          steps.push({ kind: 'recursive' });
          if (this.source[this.#at] === '[') continue;
        }
        if (this.source[this.#at] === '*') {
          this.#at++;
          steps.push({ kind: 'wildcard' });
        } else {
          // A dot alone asks for the key of no name: `{.}` is not the current object, `{@}` is.
          const name = this.#name();
          if (name !== '' || !recursive) steps.push({ kind: 'field', name });
        }
      } else if (c === '[') steps.push(this.#bracket());
      else if (steps.length === 0 && this.#at === start && /\w/.test(c ?? ''))
        steps.push({ kind: 'field', name: this.#name() });
      else break;
    }
    if (this.#at === start)
      this.#fail(`unrecognized character in action: ${JSON.stringify(this.source[this.#at] ?? 'end')}`);
    return { root, steps };
  }

  #name(): string {
    let name = '';
    for (;;) {
      const c = this.source[this.#at];
      if (c === undefined || /[\s{}[\].,()=!<>|&"']/.test(c)) return name;
      this.#at++;
      if (c === '\\') name += this.source[this.#at++] ?? '';
      else name += c;
    }
  }

  #bracket(): Step {
    this.#at++;
    this.#blanks();
    if (this.source.startsWith('?(', this.#at)) return this.#filter();
    const members: Step[][] = [];
    for (;;) {
      this.#blanks();
      members.push(this.#member());
      this.#blanks();
      const c = this.source[this.#at++];
      if (c === ',') continue;
      if (c !== ']') this.#fail('unterminated array');
      break;
    }
    const [only] = members;
    return members.length === 1 && only?.length === 1 && only[0] ? only[0] : { kind: 'union', members };
  }

  #member(): Step[] {
    const c = this.source[this.#at];
    if (c === '*') {
      // All entries of a list: what else has parts is an error, as it is for any other slice.
      this.#at++;
      return [{ kind: 'slice', from: undefined, to: undefined, step: 1, single: false }];
    }
    if (c === '"' || c === "'") return [{ kind: 'field', name: this.#string() }];
    if (c === '.' || c === '@' || c === '$') return this.#path().steps;
    const slice = /^(-?\d*)(?:(:)(-?\d*)(?::(-?\d*))?)?/.exec(this.source.slice(this.#at));
    if (!slice || slice[0] === '')
      return this.#fail(`invalid array index ${JSON.stringify(this.source.slice(this.#at, this.#at + 10))}`);
    this.#at += slice[0].length;
    const part = (text: string | undefined) => (text === undefined || text === '' ? undefined : Number(text));
    const from = part(slice[1]);
    if (slice[2] === undefined) return [{ kind: 'slice', from, to: undefined, step: 1, single: true }];
    return [{ kind: 'slice', from, to: part(slice[3]), step: part(slice[4]) ?? 1, single: false }];
  }

  #filter(): Step {
    this.#at += 2;
    this.#blanks();
    const left = this.#operand();
    this.#blanks();
    const operator = /^(==|!=|<=|>=|<|>)/.exec(this.source.slice(this.#at))?.[1] as Operator | undefined;
    let right: Operand | undefined;
    if (operator) {
      this.#at += operator.length;
      this.#blanks();
      right = this.#operand();
      this.#blanks();
    }
    if (!this.source.startsWith(')]', this.#at)) this.#fail('unterminated filter');
    this.#at += 2;
    return { kind: 'filter', left, operator: operator ?? 'exists', right };
  }

  #operand(): Operand {
    const c = this.source[this.#at] ?? '';
    if (c === '"' || c === "'") return { kind: 'literal', value: this.#string() };
    const number = /^-?\d+(\.\d+)?/.exec(this.source.slice(this.#at));
    if (number) {
      this.#at += number[0].length;
      return { kind: 'literal', value: Number(number[0]) };
    }
    if (this.#word('true')) return { kind: 'literal', value: true };
    if (this.#word('false')) return { kind: 'literal', value: false };
    return { kind: 'path', ...this.#path() };
  }
}
