import { MAX_DEPTH } from '../../lib/exact-json.ts';
import { plainScalar } from './yaml-scalar.ts';

/**
 * The YAML that manifests are written in: block mappings and lists, scalars on one line, comments, several documents.
 * Returns the documents' values, or undefined when the text has anything else (flow collections with content, anchors,
 * tags, block scalars, duplicate keys, errors …), which the full YAML parser then reads. The full parser keeps every
 * token and takes ten times as long, which matters with thousands of policies.
 */
export function parsePlainYaml(text: string): unknown[] | undefined {
  if (/[\t\r\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u0085\u2028\u2029\ufeff]/.test(text))
    return undefined;
  try {
    return splitDocuments(text).map((lines) => new Reader(lines).document());
  } catch (error) {
    if (error === NOT_PLAIN) return undefined;
    throw error;
  }
}

const NOT_PLAIN = new Error('not plain YAML');

interface Line {
  indent: number;
  text: string;
}

function splitDocuments(text: string): Line[][] {
  const documents: Line[][] = [];
  let lines: Line[] = [];
  let marked = false;
  for (const whole of text.split('\n')) {
    const body = whole.trimEnd();
    if (body === '---') {
      if (marked || lines.length > 0) documents.push(lines);
      lines = [];
      marked = true;
      continue;
    }
    if (/^(---|\.\.\.|%)/.test(body)) throw NOT_PLAIN;
    const start = body.trimStart();
    if (start !== '' && !start.startsWith('#'))
      lines.push({ indent: body.length - start.length, text: start });
  }
  documents.push(lines);
  return documents;
}

const KEY = /^([A-Za-z_][\w./:-]*?|"[^"\\]*"|'[^']*') *:(?: +(.*))?$/;
const QUOTED = /^("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')(?: +#.*)?$/;

/** What stands before a colon on one line may not be longer in YAML; the full parser says so. */
const LONGEST_NAME = 1000;

class Reader {
  #at = 0;
  #depth = 0;

  constructor(private readonly lines: readonly Line[]) {}

  document(): unknown {
    const [first] = this.lines;
    if (!first) return null;
    const value = this.#block(first.indent);
    if (this.#at < this.lines.length) throw NOT_PLAIN;
    return value;
  }

  /** The mapping or list whose lines begin at `indent`. */
  #block(indent: number): unknown {
    const line = this.lines[this.#at];
    // The full parser says where it is too deep.
    if (!line || this.#depth >= MAX_DEPTH) throw NOT_PLAIN;
    this.#depth++;
    const value = isItem(line.text) ? this.#list(indent) : this.#mapping(indent);
    this.#depth--;
    return value;
  }

  #list(indent: number): unknown[] {
    const items: unknown[] = [];
    for (
      let line = this.lines[this.#at];
      line?.indent === indent && isItem(line.text);
      line = this.lines[this.#at]
    ) {
      const rest = line.text.slice(1).trimStart();
      if (rest === '' || rest.startsWith('#')) {
        this.#at++;
        items.push(this.#nested(indent, false));
      } else if (isItem(rest) || KEY.test(rest)) {
        // What follows the dash is the first line of a block that begins in its own column.
        const column = indent + line.text.length - rest.length;
        items.push(this.#inner(column, rest));
      } else {
        this.#at++;
        items.push(this.#scalar(rest, indent));
      }
    }
    return items;
  }

  #inner(column: number, rest: string): unknown {
    const line = this.lines[this.#at];
    if (!line) throw NOT_PLAIN;
    const { indent, text } = line;
    Object.assign(line, { indent: column, text: rest });
    const value = this.#block(column);
    Object.assign(line, { indent, text });
    return value;
  }

  #mapping(indent: number): Record<string, unknown> {
    if (!KEY.test(this.lines[this.#at]?.text ?? '')) throw NOT_PLAIN;
    const mapping: Record<string, unknown> = {};
    for (let line = this.lines[this.#at]; line?.indent === indent; line = this.lines[this.#at]) {
      const match = KEY.exec(line.text);
      if (!match) break;
      const [, written = '', rest = ''] = match;
      if (written.length > LONGEST_NAME) throw NOT_PLAIN;
      const key = /^["']/.test(written) ? written.slice(1, -1) : written;
      // Names with a meaning of their own are left to the full parser, which warns of them.
      const meant = key !== written || plainScalar(written) === written;
      if (!meant || key === '__proto__' || Object.hasOwn(mapping, key)) throw NOT_PLAIN;
      this.#at++;
      mapping[key] =
        rest === '' || rest.startsWith('#') ? this.#nested(indent, true) : this.#scalar(rest, indent);
    }
    return mapping;
  }

  /** The value below a key or a dash. A list below a key may begin in the key's own column. */
  #nested(indent: number, belowKey: boolean): unknown {
    const next = this.lines[this.#at];
    if (!next) return null;
    if (next.indent > indent) return this.#block(next.indent);
    return belowKey && next.indent === indent && isItem(next.text) ? this.#list(indent) : null;
  }

  #scalar(text: string, indent: number): unknown {
    const next = this.lines[this.#at];
    // A more indented line would continue the scalar.
    if (next && next.indent > indent) throw NOT_PLAIN;
    const quoted = QUOTED.exec(text)?.[1];
    if (quoted) return unquote(quoted);
    const comment = text.search(/ #/);
    const plain = (comment < 0 ? text : text.slice(0, comment)).trimEnd();
    if (plain === '{}') return {};
    if (plain === '[]') return [];
    if (/^[-?:] |^[-?:]$|^[,[\]{}#&*!|>'"%@`]|: |:$/.test(plain)) throw NOT_PLAIN;
    return resolve(plain);
  }
}

function isItem(text: string): boolean {
  return text === '-' || text.startsWith('- ');
}

function unquote(quoted: string): string {
  if (quoted.startsWith("'")) return quoted.slice(1, -1).replaceAll("''", "'");
  try {
    return String(JSON.parse(quoted));
  } catch {
    throw NOT_PLAIN;
  }
}

/** A number that JSON does not have is left to the full parser, which refuses it. */
function resolve(plain: string): unknown {
  const value = plainScalar(plain);
  if (typeof value === 'number' && !Number.isFinite(value)) throw NOT_PLAIN;
  return value;
}
