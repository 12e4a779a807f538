import { UserError } from '../../errors.ts';
import { MAX_DEPTH } from '../../lib/exact-json.ts';
import { shellWord } from '../../lib/shell-word.ts';
import type { Position } from '../../model/finding.ts';
import { type Given, jsonTypeOf } from './given.ts';
import type { Change } from './lint.ts';

/** What `--set` pairs stand under in messages. */
const SET_FILE = '--set';

/**
 * Reads pairs as Helm's `--set` does: `a.b=c,d={1,2}`, with a backslash before what is meant literally. A list's elements
 * (`a[0].b=c`) count as their list. Throws UserError for what is no pair.
 */
export function parseSetPairs(pairs: readonly string[]): Given[] {
  const root: Given[] = [];
  pairs.forEach((text, i) => {
    for (const { start, part } of split(text, ',')) {
      const position: Position = { file: SET_FILE, line: i + 1, column: start + 1 };
      const equals = split(part, '=')[0]?.part.length ?? part.length;
      const name = part.slice(0, equals);
      if (equals >= part.length || name === '')
        throw new UserError(`--set ${text}: "${part}" is no pair`, {
          hint: 'Expected NAME=VALUE, such as debug.enabled=true.',
        });
      const names = wordsOf(name);
      if (names.length > MAX_DEPTH || (part.match(/\{/g)?.length ?? 0) > MAX_DEPTH)
        throw new UserError(`--set ${text.slice(0, 40)}…: it is nested too deeply to be read`);
      add(
        root,
        names,
        readValue(part.slice(equals + 1)),
        {
          ...position,
          column: position.column + equals + 1,
        },
        position,
      );
    }
  });
  return root;
}

/** The parts between separators that are neither escaped nor in braces. */
function split(text: string, separator: string): { start: number; part: string }[] {
  const parts: { start: number; part: string }[] = [];
  let [start, depth] = [0, 0];
  for (let i = 0; i <= text.length; i++) {
    const c = text[i];
    if (c === '\\') i++;
    else if (c === '{') depth++;
    else if (c === '}') depth--;
    else if (c === undefined || (c === separator && depth <= 0)) {
      parts.push({ start, part: text.slice(start, i) });
      start = i + 1;
    }
  }
  return parts;
}

/** The names of a path; those from an index on belong to a list, which is not looked into. */
function wordsOf(name: string): string[] {
  const list = name.search(/(?<!\\)\[/);
  const plain = list < 0 ? name : name.slice(0, list);
  return split(plain, '.').map(({ part }) => part.replace(/\\(.)/g, '$1'));
}

function readValue(text: string): unknown {
  if (/^\{.*\}$/s.test(text)) return split(text.slice(1, -1), ',').map(({ part }) => readValue(part));
  if (text === 'true' || text === 'false') return text === 'true';
  if (text === 'null') return null;
  if (/^(?:0|-?[1-9]\d*)$/.test(text)) return Number(text);
  return text.replace(/\\(.)/g, '$1');
}

function add(
  into: Given[],
  [first = '', ...rest]: readonly string[],
  value: unknown,
  valuePosition: Position,
  position: Position,
  above: readonly string[] = [],
): void {
  const path = [...above, first];
  if (rest.length > 0) {
    let parent = into.find((one) => one.path.at(-1) === first);
    if (!parent) {
      parent = { path, value: {}, type: 'object', children: [], position, valuePosition };
      into.push(parent);
    }
    const children = [...parent.children];
    add(children, rest, value, valuePosition, position, path);
    parent.children = children;
    return;
  }
  for (const own of into) if (own.path.at(-1) === first) own.isDoubled = true;
  into.push({ path, value, type: jsonTypeOf(value), children: [], position, valuePosition });
}

/** Carries out repairs on pairs of which each says one thing. */
export function repairPairs(
  pairs: readonly string[],
  fixes: readonly (readonly Change[])[],
): { pairs: string[]; repaired: number } {
  const single = pairs.flatMap((text) => split(text, ',').map(({ part }) => part));
  const nameAt = (part: string) => wordsOf(split(part, '=')[0]?.part ?? '').join('\0');
  let repaired = 0;
  for (const fix of fixes) {
    const taken = new Set(single.map(nameAt));
    const own = fix.map((change) => (change.kind === 'rename' ? change.from : change.at).join('\0'));
    const made = fix.flatMap((change) => {
      const path = (change.kind === 'rename' ? change.to : change.at).join('\0');
      return own.includes(path) && taken.has(path) ? [] : [path];
    });
    if (made.some((path) => taken.has(path))) continue;
    if (!fix.some((change) => taken.has((change.kind === 'rename' ? change.from : change.at).join('\0'))))
      continue;
    for (const change of fix) {
      const from = (change.kind === 'rename' ? change.from : change.at).join('\0');
      const i = single.findLastIndex((part) => nameAt(part) === from);
      const value = (part: string) => part.slice((split(part, '=')[0]?.part.length ?? 0) + 1);
      if (change.kind === 'rename')
        single[i] = `${change.to.map(escaped).join('.')}=${value(single[i] ?? '')}`;
      else {
        const text = `${change.at.map(escaped).join('.')}=${valueText(change.value)}`;
        if (i < 0) single.push(text);
        else single[i] = text;
      }
    }
    repaired++;
  }
  return { pairs: repaired > 0 ? single : [...pairs], repaired };
}

/** Pairs as flags, one a line. */
export function pairsText(pairs: readonly string[]): string {
  return pairs.map((pair) => `--set ${shellWord(pair)}\n`).join('');
}

function escaped(word: string): string {
  return word.replace(/[\\.,=[]/g, '\\$&');
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return `{${value.map(valueText).join(',')}}`;
  return typeof value === 'string' ? value.replace(/[\\,]/g, '\\$&') : String(value);
}
