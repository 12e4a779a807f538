import { goFloat } from '../../lib/go-float.ts';
import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import type { Release } from '../../model/release.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';
import { fieldsOf, isPointer, resolveShape, zeroOf } from './go-fields.ts';

const BEST_INDENT = 4;
/** Keys above this many bytes are written as `? key`, with the value behind a colon on the next line. */
const LONGEST_SIMPLE_KEY = 128;

/**
 * YAML as Go's yaml.v3 writes structs that carry only JSON tags: keys are the lower-cased Go field names, every
 * field that the type has in a release is there, zero or not. Without a type, keys stay as they are. Ends with a newline. Beyond Go, the
 * characters that reorder a line are escaped: the value is the same, and it steers no terminal.
 */
export function goYaml(value: unknown, type?: TypedShape, release?: Release): string {
  const writer = new Writer(type?.definitions ?? {}, release);
  writer.whole(value, type?.shape);
  return writer.text();
}

class Writer {
  #out = '';
  constructor(
    readonly definitions: TypedShape['definitions'],
    readonly release: Release | undefined,
  ) {}

  text(): string {
    return this.#out;
  }

  /** Writes a document: a list or a map that is missing is one without entries. */
  whole(value: unknown, shape: Shape | undefined): void {
    const isMissing = value === null || value === undefined;
    this.block(isMissing ? zeroOf(shape, this.definitions) : value, shape, 0, false);
  }

  /** Writes a value whose first line starts at the cursor; `indent` is the column of its keys or dashes. */
  block(value: unknown, shape: Shape | undefined, indent: number, inline: boolean): void {
    const type = resolveShape(shape, this.definitions);
    if (Array.isArray(value)) this.#sequence(value, type, indent, inline);
    else if (isRecord(value)) this.#mapping(value, type, indent, inline);
    else if (typeof value === 'number' && type?.type === 'number') this.#out += `${goFloat(value)}\n`;
    else if (isNumber(value) && type?.type === 'string') this.#out += `${scalar(String(value), indent)}\n`;
    else this.#out += `${type?.format === 'time' ? value : scalar(value, indent)}\n`;
  }

  #mapping(value: Record<string, unknown>, type: Shape | undefined, indent: number, inline: boolean): void {
    const struct = type?.properties !== undefined;
    const rows: [string, unknown, Shape | undefined][] = struct
      ? fieldsOf(type, value, this.release).map(([name, field]) => [
          name.replace(/[^A-Za-z0-9]/g, '').toLowerCase(),
          fieldValue(value, type, name, field, this.definitions),
          field,
        ])
      : Object.keys(value)
          .sort((a, b) => compareYamlKeys(a, b))
          .map((name) => [name, value[name], type?.additionalProperties]);
    if (rows.length === 0) {
      this.#out += '{}\n';
      return;
    }
    rows.forEach(([name, child, childType], i) => {
      const key = name.includes('\n') ? doubleQuoted(name) : scalar(name, 0);
      if (i > 0 || !inline) this.#out += ' '.repeat(indent);
      const simple = Buffer.byteLength(name) <= LONGEST_SIMPLE_KEY;
      this.#out += simple ? `${key}:` : `? ${key}\n${' '.repeat(indent)}:`;
      this.#child(child, childType, indent, simple);
    });
  }

  #child(child: unknown, type: Shape | undefined, indent: number, simple: boolean): void {
    const nested =
      (Array.isArray(child) && child.length > 0) ||
      (isRecord(child) && hasRows(child, type, this.definitions));
    if (!nested) {
      this.#out += ' ';
      this.block(child, type, indent, true);
      return;
    }
    const deeper = nextIndent(indent);
    this.#out += simple ? '\n' : ' '.repeat(deeper - indent - 1);
    this.block(child, type, deeper, !simple);
  }

  #sequence(items: readonly unknown[], type: Shape | undefined, indent: number, inline: boolean): void {
    if (items.length === 0) {
      this.#out += '[]\n';
      return;
    }
    items.forEach((item, i) => {
      if (i > 0 || !inline) this.#out += ' '.repeat(indent);
      this.#out += '- ';
      // 1.20 sends lists of labels where older agents send labels.
      const nested = Array.isArray(item) && resolveShape(type?.items, this.definitions)?.type !== 'array';
      const itemType = nested ? type : (type?.items ?? onlyItems(type));
      // A text of several lines stands two columns to the right of the dash, deeper only in a mapping.
      if (typeof item === 'string') this.#out += `${scalar(item, indent, indent + 2, BEST_INDENT)}\n`;
      else this.block(item, itemType, indent + 2, true);
    });
  }
}

/**
 * Orders the keys of a map as Go's yaml does, by where they first differ: numbers by their value, and letters behind all
 * else, which yaml.v3 turns around behind a digit.
 */
export function compareYamlKeys(a: string, b: string, library: 'v2' | 'v3' = 'v3'): number {
  const one = [...a];
  const two = [...b];
  const at = one.findIndex((c, i) => c !== two[i]);
  const [x, y] = [one[at], two[at]];
  if (x === undefined || y === undefined) return one.length - two.length;
  const [letterX, letterY] = [LETTER.test(x), LETTER.test(y)];
  const behindDigit = library === 'v3' && DIGIT.test(one[at - 1] ?? '');
  if (letterX !== letterY) return letterX === behindDigit ? -1 : 1;
  if (letterX) return compareBytes(x, y);
  // A zero within a number does not begin one.
  const within = (x === '0' || y === '0') && /[1-9]\d*$/.test(one.slice(0, at).join('')) ? '1' : '';
  const [numberX, numberY] = [one, two].map((key) => within + /^\d*/.exec(key.slice(at).join(''))?.[0]);
  const order = BigInt(numberX ?? 0) - BigInt(numberY ?? 0);
  if (order !== 0n) return order < 0n ? -1 : 1;
  return (numberX?.length ?? 0) - (numberY?.length ?? 0) || compareBytes(x, y);
}

const LETTER = /^\p{L}$/u;
const DIGIT = /^\p{Nd}$/u;

/** What is in the one list of a struct: up to 1.18 some of today's structs were that list. */
function onlyItems(type: Shape | undefined): Shape | undefined {
  const lists = Object.values(type?.properties ?? {}).filter(({ items }) => items !== undefined);
  return lists.length === 1 ? lists[0]?.items : undefined;
}

/** yaml.v3 aligns every level to a multiple of four; only the step into a sequence item is two wide. */
function nextIndent(indent: number): number {
  return BEST_INDENT * Math.floor((indent + BEST_INDENT) / BEST_INDENT);
}

function hasRows(
  value: Record<string, unknown>,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): boolean {
  return Object.keys(value).length > 0 || resolveShape(shape, definitions)?.properties !== undefined;
}

function fieldValue(
  value: Record<string, unknown>,
  parent: Shape,
  name: string,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): unknown {
  const own = value[name];
  if (own !== undefined && own !== null) return own;
  return isPointer(parent, name, shape, definitions) ? null : zeroOf(shape, definitions);
}

/** What YAML 1.1 or 1.2 readers would take for something other than a string. */
const NOT_A_STRING =
  /^(?:|~|null|Null|NULL|true|True|TRUE|false|False|FALSE|y|Y|yes|Yes|YES|on|On|ON|n|N|no|No|NO|off|Off|OFF|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)|[-+]?0b_*[01][01_]*|[-+]?0o?_*[0-7][0-7_]*|[-+]?0x_*[0-9a-fA-F][0-9a-fA-F_]*|[-+]?[0-9][0-9_]*|[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?)$/;
const TIMESTAMP =
  /^\d{4}-\d{1,2}-\d{1,2}(?:(?:[Tt]|[ \t]+)\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d{1,2}(?::?\d{2})?))?)?$/;
const NEEDS_ESCAPES =
  /[^\n\x20-\x7e\xa0-\u061b\u061d-\u200d\u2010-\u2027\u202f-\u2065\u206a-\ud7ff\ue000-\ufefe\uff00-\ufffd]/u;

/**
 * A value that is neither a list nor a map; `pad` is the column of the lines of a text of several, where it is not that of
 * a mapping in Go, and `step` what is said of it where the text begins with a blank.
 */
export function scalar(
  value: unknown,
  indent: number,
  pad?: number,
  step = pad === undefined ? BEST_INDENT : 2,
): string {
  if (typeof value !== 'string') return value === null || value === undefined ? 'null' : numberText(value);
  if (NOT_A_STRING.test(value) || TIMESTAMP.test(value)) return doubleQuoted(value);
  if (value.includes('\n') && literalAllowed(value)) return literal(value, pad ?? nextIndent(indent), step);
  if (NEEDS_ESCAPES.test(value) || value.includes('\n')) return doubleQuoted(value);
  return plainAllowed(value) ? value : `'${value.replaceAll("'", "''")}'`;
}

function isNumber(value: unknown): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

function numberText(value: unknown): string {
  return typeof value === 'number' && !Number.isInteger(value) ? goFloat(value) : String(value);
}

/** A literal may hold tabs, but no blank at the end of a line. */
function literalAllowed(text: string): boolean {
  return !/ (?:\n|$)/.test(text) && !NEEDS_ESCAPES.test(text.replaceAll('\t', ''));
}

/** Blanks beyond ASCII are characters like any other. */
function plainAllowed(text: string): boolean {
  if (/^ | $/.test(text)) return false;
  if (/^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[,[\]{}#&*!|>'"%@`]/.test(text)) return false;
  if (/^[-?:](?: |$)/.test(text)) return false;
  return !/:(?: |$)| #/.test(text);
}

function literal(text: string, column: number, step: number): string {
  const trailing = /\n*$/.exec(text)?.[0].length ?? 0;
  const body = text.replace(/\n+$/, '');
  const chomp = trailing === 0 ? '-' : trailing === 1 && body !== '' ? '' : '+';
  const hint = /^[ \n]/.test(text) ? String(step) : '';
  const pad = ' '.repeat(column);
  const lines = body.split('\n').map((line) => (line === '' ? '' : pad + line));
  return `|${hint}${chomp}\n${lines.join('\n')}${'\n'.repeat(Math.max(0, trailing - 1))}`;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\0': '\\0',
  '\x07': '\\a',
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\x0b': '\\v',
  '\f': '\\f',
  '\r': '\\r',
  '\x1b': '\\e',
  '"': '\\"',
  '\\': '\\\\',
  '\x85': '\\N',
  '\u2028': '\\L',
  '\u2029': '\\P',
};

function doubleQuoted(text: string): string {
  let out = '"';
  for (const c of text) {
    const known = ESCAPES[c];
    if (known) out += known;
    else if (!NEEDS_ESCAPES.test(c)) out += c;
    else {
      const code = c.codePointAt(0) ?? 0;
      const [letter, width] = code < 0x100 ? ['x', 2] : code < 0x10000 ? ['u', 4] : ['U', 8];
      out += `\\${letter}${code.toString(16).toUpperCase().padStart(Number(width), '0')}`;
    }
  }
  return `${out}"`;
}
