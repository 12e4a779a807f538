import { UserError } from '../../errors.ts';
import { MAX_DEPTH } from '../../lib/exact-json.ts';
import { isRecord } from '../../lib/record.ts';

export type Values = Record<string, unknown>;

/** How the text behind a name is taken: with its type, as a text, or as what a file holds. */
export type SetKind = 'set' | 'set-string' | 'set-file';

/** Further elements of a list than these are a typing error: each takes memory. */
const MAX_INDEX = 65_536;

/**
 * Puts the pairs of one flag into values, as Helm reads them: `a.b=c,d[0].e=f,g={1,2}`, a backslash before what is meant
 * literally. A list that is changed in places begins as `base` has it. `read` gives the content of a file of `--set-file`.
 */
export async function putPairs(
  into: Values,
  text: string,
  kind: SetKind,
  base: Values,
  read: (path: string) => Promise<string>,
): Promise<void> {
  const cursor = { text, at: 0 };
  const flag = `--${kind}`;
  while (cursor.at < text.length) {
    const path = readPath(cursor, flag);
    const value =
      kind === 'set-file'
        ? await read(until(cursor, ','))
        : text[cursor.at] === '{'
          ? readList(cursor, kind, flag)
          : typed(until(cursor, ','), kind);
    put(into, path, value, base);
    cursor.at++;
  }
}

interface Cursor {
  text: string;
  at: number;
}

/** The text to one of these, without the backslashes; the cursor is on what ended it. */
function until(cursor: Cursor, ends: string): string {
  let out = '';
  for (; cursor.at < cursor.text.length; cursor.at++) {
    const c = cursor.text[cursor.at] ?? '';
    if (ends.includes(c)) break;
    out += c === '\\' ? (cursor.text[++cursor.at] ?? '') : c;
  }
  return out;
}

/** Names and indexes before the sign; the cursor is behind it. */
function readPath(cursor: Cursor, flag: string): (string | number)[] {
  const path: (string | number)[] = [];
  const bad = (why: string) =>
    new UserError(`${flag} ${cursor.text.slice(0, 200)}: ${why}`, {
      hint: 'Expected NAME=VALUE, such as debug.enabled=true.',
    });
  for (;;) {
    const name = until(cursor, '.=[,');
    const end = cursor.text[cursor.at];
    if (name !== '') path.push(name);
    else if (typeof path.at(-1) !== 'number' || end === undefined) throw bad('a name is empty');
    cursor.at++;
    if (path.length > MAX_DEPTH) throw bad('it is nested too deeply');
    if (path.some((part) => part === '__proto__')) throw bad('a name is not possible');
    if (end === '=') return path;
    if (end === undefined || end === ',') throw bad(`"${path.join('.')}" has no value`);
    if (end !== '[') continue;
    const index = until(cursor, ']');
    if (!/^\d+$/.test(index) || Number(index) > MAX_INDEX) throw bad(`"[${index}]" is no index`);
    path.push(Number(index));
    cursor.at++;
    const next = cursor.text[cursor.at];
    if (next === '=') {
      cursor.at++;
      return path;
    }
    if (next === '.') cursor.at++;
    else if (next !== '[') throw bad('a list element is followed by ".", "[" or "="');
  }
}

/** `{a,b}`; the cursor is behind it, on a comma or the end. */
function readList(cursor: Cursor, kind: SetKind, flag: string): unknown[] {
  const list: unknown[] = [];
  cursor.at++;
  for (;;) {
    const item = until(cursor, ',}');
    const end = cursor.text[cursor.at];
    if (end === undefined)
      throw new UserError(`${flag} ${cursor.text.slice(0, 200)}: a list has no end`, {
        hint: 'It ends with }.',
      });
    cursor.at++;
    // Without an element between the braces it is a list of one empty text.
    list.push(typed(item, kind));
    if (end === '}') return list;
  }
}

function typed(text: string, kind: SetKind): unknown {
  if (kind !== 'set') return text;
  const word = text.toLowerCase();
  if (word === 'true' || word === 'false') return word === 'true';
  if (word === 'null') return null;
  if (text === '0') return 0;
  const isNumber = /^[+-]?[1-9]\d*$/.test(text) && Number.isSafeInteger(Number(text));
  return isNumber ? Number(text) : text;
}

function put(into: Values, path: readonly (string | number)[], value: unknown, base: Values): void {
  let [here, below]: [Values | unknown[], unknown] = [into, base];
  path.forEach((part, i) => {
    const key = part as keyof typeof here;
    if (i === path.length - 1) {
      here[key] = value as never;
      return;
    }
    below = isRecord(below) || Array.isArray(below) ? below[part as keyof typeof below] : undefined;
    const isList = typeof path[i + 1] === 'number';
    const own: unknown = here[key];
    if (isList && !Array.isArray(own))
      here[key] = (Array.isArray(below) ? structuredClone(below) : []) as never;
    if (!isList && !isRecord(own)) here[key] = {} as never;
    here = here[key] as Values | unknown[];
  });
  fillHoles(into, path);
}

/** Helm fills the elements of a list before one that is set with null. */
function fillHoles(into: Values, path: readonly (string | number)[]): void {
  let here: unknown = into;
  for (const part of path) {
    if (Array.isArray(here)) for (let i = 0; i < here.length; i++) here[i] ??= null;
    here = isRecord(here) || Array.isArray(here) ? here[part as keyof typeof here] : undefined;
  }
}

/** Maps within maps are joined; of all else the second one counts. */
export function mergeValues(first: Values, second: Values): Values {
  const merged = { ...first };
  for (const [key, value] of Object.entries(second)) {
    const before = merged[key];
    merged[key] = isRecord(before) && isRecord(value) ? mergeValues(before, value) : value;
  }
  return merged;
}

/** The value at a dotted name; undefined where there is none. */
export function valueAt(values: Values, name: string): unknown {
  return name.split('.').reduce<unknown>((here, part) => (isRecord(here) ? here[part] : undefined), values);
}

/** Nested values of dotted names. */
export function nested(pairs: Readonly<Record<string, unknown>>): Values {
  const root: Values = {};
  for (const [name, value] of Object.entries(pairs)) put(root, name.split('.'), value, {});
  return root;
}
