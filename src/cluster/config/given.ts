import type { Document } from 'yaml';
import { isAlias, isMap, isScalar, isSeq, type LineCounter, type Node, type ParsedNode } from 'yaml';
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

/** The settings of a YAML map, with their places. Undefined when the document is no map. */
export function givenOf(document: Document.Parsed, lines: LineCounter, file: string): Given[] | undefined {
  const place = (offset: number): Position => {
    const { line, col } = lines.linePos(offset);
    return { file, line, column: col };
  };
  const map = (node: Node | null | undefined, path: readonly string[]): Given[] => {
    const target = isAlias(node) ? node.resolve(document) : node;
    if (!isMap(target)) return [];
    const given: Given[] = [];
    const merged = new Set<Given>();
    for (const { key, value } of target.items as { key: ParsedNode; value: ParsedNode | null }[]) {
      const name = isScalar(key) ? String(key.value) : String(key);
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
      const here = [...path, name];
      const position = place(key.range[0]);
      const resolved = isAlias(value) ? value.resolve(document) : value;
      const before = given.findIndex((own) => own.path.at(-1) === name);
      const other = given[before];
      if (other && merged.has(other)) given.splice(before, 1);
      else if (other) for (const own of given) if (own.path.at(-1) === name) own.isDoubled = true;
      given.push({
        path: here,
        value: resolved == null ? null : resolved.toJS(document),
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
