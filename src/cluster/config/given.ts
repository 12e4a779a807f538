import type { Document, YAMLMap } from 'yaml';
import {
  isAlias,
  isMap,
  isNode,
  isScalar,
  isSeq,
  type LineCounter,
  type Node,
  type ParsedNode,
  visit,
} from 'yaml';
import { formatJson } from '../../lib/exact-json.ts';
import { compareBytes } from '../../lib/order.ts';
import type { Position } from '../../model/finding.ts';
import type { JsonType } from './facts.ts';

/** A setting as somebody wrote it: a scalar, a list, or a map of further ones. */
export interface Given {
  /** Names from the root down. */
  path: readonly string[];
  value: unknown;
  /** Undefined where readers of YAML differ, as for `yes`. */
  type: JsonType | undefined;
  /** Of a map. */
  children: readonly Given[];
  position: Position;
  /** Where the value stands. */
  valuePosition: Position;
  /** It was written before, and a later one of the same name counts. */
  isDoubled?: boolean;
}

/** The dotted name of a setting, as Helm writes it. */
export function nameOf({ path }: Pick<Given, 'path'>): string {
  return path.join('.');
}

/** A value as it stands in messages. */
export function textOf(value: unknown): string {
  return typeof value === 'object' && value !== null ? (formatJson(value) ?? '') : String(value);
}

/** Every setting and all below it. */
export function* allOf(given: readonly Given[]): Generator<Given> {
  for (const one of given) {
    yield one;
    yield* allOf(one.children);
  }
}

/** The setting of a name; undefined where it is not given. */
export function find(given: readonly Given[], name: string): Given | undefined {
  const [first, ...rest] = name.split('.');
  // Of doubled ones the last counts.
  const found = given.findLast(({ path }) => path.at(-1) === first);
  return rest.length === 0 || !found ? found : find(found.children, rest.join('.'));
}

/** No file of values comes near; aliases of aliases unfold to any number. */
const MOST_SETTINGS = 20_000;

/** The settings of a YAML map, with their places. Undefined when the document is no map. */
export function givenOf(document: Document.Parsed, lines: LineCounter, file: string): Given[] | undefined {
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const anchored = anchorsOf(document);
  let count = 0;
  const open = new Set<unknown>();
  const map = (node: Node | null | undefined, path: readonly string[]): Given[] => {
    const target = isAlias(node) ? anchored.get(node) : node;
    if (!isMap(target)) return [];
    if (open.has(target)) throw new SyntaxError('an alias stands inside of what it stands for');
    open.add(target);
    const given = entries(target, path);
    open.delete(target);
    return given;
  };
  const entries = (target: YAMLMap, path: readonly string[]): Given[] => {
    const given: Given[] = [];
    const merged = new Set<Given>();
    for (const { key, value } of target.items as { key: ParsedNode | null; value: ParsedNode | null }[]) {
      const name = keyText(key);
      if (name === '<<') {
        // What is written out counts before what is merged.
        for (const one of isSeq(value) ? (value.items as Node[]) : [value])
          for (const other of map(one, path)) {
            if (given.some((own) => sameName(own, other))) continue;
            merged.add(other);
            given.push(other);
          }
        continue;
      }
      if (++count > MOST_SETTINGS)
        throw new SyntaxError(`these are more than ${MOST_SETTINGS} settings, aliases unfolded`);
      const here = [...path, name];
      const position = place(key?.range[0] ?? target.range?.[0] ?? 0);
      const resolved = isAlias(value) ? anchored.get(value) : value;
      const before = given.findIndex((own) => own.path.at(-1) === name);
      const other = given[before];
      if (other && merged.has(other)) given.splice(before, 1);
      else if (other) for (const own of given) if (own.path.at(-1) === name) own.isDoubled = true;
      given.push({
        path: here,
        // Of a map it is made when somebody asks, or each part would be made once for each map around it.
        get value(): unknown {
          if (resolved == null) return null;
          return isScalar(resolved) ? resolved.value : resolved.toJS(document, { maxAliasCount: -1 });
        },
        type: typeOf(resolved),
        children: map(resolved, here),
        position,
        valuePosition: value?.range ? place(value.range[0]) : position,
      });
    }
    return given;
  };
  return isMap(document.contents) ? map(document.contents, []) : undefined;
}

/** A name as text. One that is a map or a list is nobody's. */
export function keyText(key: unknown): string {
  if (isScalar(key)) return textOf(key.value);
  return isNode(key) ? textOf(key.toJSON()) : textOf(key);
}

/** What each alias stands for. The package looks through the whole document for one alias. */
function anchorsOf(document: Document.Parsed): Map<unknown, Node> {
  const names = new Map<string, Node>();
  const anchored = new Map<unknown, Node>();
  visit(document, {
    Node: (_, node) => {
      if (!isAlias(node) && 'anchor' in node && node.anchor !== undefined) names.set(node.anchor, node);
    },
    Alias: (_, alias) => {
      const node = names.get(alias.source);
      if (node) anchored.set(alias, node);
    },
  });
  return anchored;
}

function sameName(a: Given, b: Given): boolean {
  return a.path.at(-1) === b.path.at(-1);
}

/** Words that YAML 1.1 takes for booleans and YAML 1.2 for text. */
const AMBIGUOUS = /^(?:y|yes|n|no|on|off)$/i;

function typeOf(node: unknown): JsonType | undefined {
  if (isMap(node)) return 'object';
  if (isSeq(node)) return 'array';
  if (!isScalar(node)) return 'null';
  if (node.type === 'PLAIN' && typeof node.value === 'string' && AMBIGUOUS.test(node.value)) return undefined;
  return jsonTypeOf(node.value);
}

/** The type of a value without its text. */
export function jsonTypeOf(value: unknown): JsonType {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  if (typeof value === 'bigint') return 'integer';
  return typeof value === 'string' ? 'string' : 'object';
}

/** The data of a ConfigMap as it is stored. Places are the lines of `config view`. */
export function givenOfKeys(stored: Readonly<Record<string, string>>, file: string): Given {
  let line = 1;
  const children = Object.keys(stored)
    .toSorted(compareBytes)
    .map((key): Given => {
      const value = stored[key] ?? '';
      const position = { file, line, column: 1 };
      line += value.split('\n').length;
      return { path: ['data', key], value, type: 'string', children: [], position, valuePosition: position };
    });
  const position = { file, line: 1, column: 1 };
  return { path: ['data'], value: stored, type: 'object', children, position, valuePosition: position };
}
