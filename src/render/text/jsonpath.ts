import { UserError } from '../../errors.ts';
import { goFloat } from '../../lib/go-float.ts';
import { isRecord } from '../../lib/record.ts';
import type { Release } from '../../model/release.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';
import { fieldsOf, isPointer, resolveShape, zeroOf } from './go-fields.ts';
import { goStruct } from './go-struct.ts';
import { goJson, goMapJson } from './json.ts';
import { type Node, type Operand, parseTemplate, type Step } from './jsonpath-parser.ts';

/** A value with its Go type, where one is known. */
interface Typed {
  value: unknown;
  shape: Shape | undefined;
  /** Go holds the struct itself, as in maps, and no pointer to it. */
  isHeld?: boolean | undefined;
}

/**
 * Evaluates a kubectl-style JSONPath template over a value, as Kubernetes' engine does over Go values: missing keys
 * give nothing, several hits of one path are joined by a blank, composites print as compact JSON, pointers to structs as
 * `%v` does where that holds no addresses.
 */
export function jsonpath(template: string, value: unknown, type?: TypedShape): string {
  return evaluate(template, value, { type }).text;
}

/** The same, and whether structs were printed: the fields of those are of the release that is given, or the newest. */
export function evaluate(
  template: string,
  value: unknown,
  { type, release }: { type?: TypedShape | undefined; release?: Release | undefined },
): { text: string; hasStructs: boolean } {
  const root = { value, shape: type?.shape, isHeld: type?.isValue };
  const evaluator = new Evaluator(root, type?.definitions ?? {}, release);
  const text = evaluator.print(parseTemplate(template), evaluator.root);
  return { text, hasStructs: evaluator.hasStructs };
}

class Evaluator {
  hasStructs = false;

  constructor(
    readonly root: Typed,
    readonly definitions: TypedShape['definitions'],
    readonly release: Release | undefined,
  ) {}

  print(nodes: readonly Node[], here: Typed): string {
    let out = '';
    for (const node of nodes) {
      if (node.kind === 'text') out += node.text;
      else {
        const hits = this.#walk(node.steps, node.root ? this.root : here);
        if (node.kind === 'path') out += hits.map((hit) => this.#text(hit)).join(' ');
        else for (const hit of hits) out += this.print(node.body, hit);
      }
    }
    return out;
  }

  /** What a field holds: its zero value when it is not there, and nothing where Go has nil. */
  #held(struct: Record<string, unknown>, type: Shape, key: string, shape: Shape | undefined): unknown {
    if (struct[key] !== undefined && struct[key] !== null) return struct[key];
    const isNil = isPointer(type, key, shape, this.definitions) || this.#isCollection(shape);
    return isNil ? null : zeroOf(shape, this.definitions);
  }

  #isCollection(shape: Shape | undefined): boolean {
    const type = resolveShape(shape, this.definitions);
    return type?.type === 'array' || (type?.additionalProperties !== undefined && !type.properties);
  }

  #text({ value, shape, isHeld }: Typed): string {
    if (value === null || value === undefined)
      return shape?.type === undefined && shape?.$ref === undefined
        ? 'null'
        : this.#isCollection(shape)
          ? 'null'
          : '<nil>';
    if (shape?.['x-by-value']) return goMapJson(value);
    const type = resolveShape(shape, this.definitions);
    if (typeof value === 'number' && type?.type === 'number') return goFloat(value);
    // Times are structs in Go, and those are printed as JSON.
    if (type?.format === 'date-time') return goJson(value);
    if (typeof value !== 'object') return String(value);
    const struct = isHeld ? undefined : goStruct(value, shape, this.definitions, this.release);
    if (struct !== undefined) this.hasStructs = true;
    return struct ?? goMapJson(value);
  }

  #walk(steps: readonly Step[], from: Typed): Typed[] {
    let here = [from];
    for (const step of steps)
      here = step.kind === 'slice' ? this.#slice(step, here) : here.flatMap((one) => this.#step(step, one));
    return here;
  }

  #step(step: Exclude<Step, { kind: 'slice' }>, { value, shape }: Typed): Typed[] {
    const type = resolveShape(shape, this.definitions);
    switch (step.kind) {
      case 'field':
        return this.#field(step.name, value, type);
      case 'wildcard':
        return this.#children(value, type);
      case 'recursive':
        return this.#descend({ value, shape });
      case 'union':
        return step.members.flatMap((member) => this.#walk(member, { value, shape }));
      case 'filter': {
        if (!Array.isArray(value) && !isRecord(value)) return [];
        return this.#children(value, type).filter((item) => this.#holds(step, item));
      }
    }
  }

  #field(name: string, value: unknown, type: Shape | undefined): Typed[] {
    if (!isRecord(value)) return [];
    if (!type?.properties) {
      return Object.hasOwn(value, name)
        ? [{ value: value[name], shape: type?.additionalProperties, isHeld: true }]
        : [];
    }
    const known =
      fieldsOf(type, value).find(([own]) => own === name) ??
      fieldsOf(type, value).find(([own]) => goName(own) === name);
    if (!known) return [];
    const [key, shape] = known;
    return [{ value: this.#held(value, type, key, shape), shape }];
  }

  #children(value: unknown, type: Shape | undefined): Typed[] {
    if (Array.isArray(value)) return value.map((item) => ({ value: item, shape: type?.items }));
    if (!isRecord(value)) return [];
    if (!type?.properties) {
      return Object.keys(value)
        .sort()
        .map((key) => ({ value: value[key], shape: type?.additionalProperties, isHeld: true }));
    }
    this.hasStructs = true;
    return fieldsOf(type, value, this.release).map(([key, shape]) => ({
      value: this.#held(value, type, key, shape),
      shape,
    }));
  }

  /** Whatever has parts, with all that it holds: strings have, as lists of their bytes, and what is empty has none. */
  #descend(from: Typed): Typed[] {
    if (typeof from.value === 'string') return from.value === '' ? [] : [from];
    if (!Array.isArray(from.value) && !isRecord(from.value)) return [];
    if (Object.keys(from.value).length === 0) return [];
    const type = resolveShape(from.shape, this.definitions);
    return [from, ...this.#children(from.value, type).flatMap((child) => this.#descend(child))];
  }

  /** As Go's engine, which stops at the first list that a slice takes nothing of: `[*]` at one that is empty. */
  #slice(step: Extract<Step, { kind: 'slice' }>, from: readonly Typed[]): Typed[] {
    const hits: Typed[] = [];
    for (const { value, shape } of from) {
      const type = resolveShape(shape, this.definitions);
      const list = value ?? (type?.type === 'array' ? [] : undefined);
      if (list === undefined) continue;
      if (!Array.isArray(list))
        throw new UserError(`jsonpath: ${JSON.stringify(typeof list)} is not an array or slice`);
      const size = list.length;
      const start = (step.from ?? 0) < 0 ? (step.from ?? 0) + size : (step.from ?? 0);
      const last = step.single ? start + 1 : (step.to ?? size);
      const end = last < 0 ? last + size : last;
      if (start === end) break;
      const out = start < 0 || start >= size ? start : end < 0 || end > size ? end - 1 : undefined;
      if (out !== undefined)
        throw new UserError(`jsonpath: array index out of bounds: index ${out}, length ${size}`);
      if (start > end)
        throw new UserError(`jsonpath: starting index ${start} is greater than ending index ${end}`);
      if (step.step <= 0) throw new UserError('jsonpath: step must be > 0');
      for (let at = start; at < end; at += step.step) hits.push({ value: list[at], shape: type?.items });
    }
    return hits;
  }

  #holds(step: Extract<Step, { kind: 'filter' }>, item: Typed): boolean {
    const left = this.#operand(step.left, item);
    if (step.operator === 'exists') return left.length > 0;
    const right = step.right ? this.#operand(step.right, item) : [];
    const [a] = left;
    const [b] = right;
    if (left.length !== 1 || right.length !== 1 || a === undefined || b === undefined) return false;
    switch (step.operator) {
      case '==':
        return a === b;
      case '!=':
        return a !== b;
      default:
        return ordered(a, b, step.operator);
    }
  }

  #operand(operand: Operand, item: Typed): unknown[] {
    if (operand.kind === 'literal') return [operand.value];
    // Literals are doubles, so that is what values are compared as.
    return this.#walk(operand.steps, operand.root ? this.root : item).map(({ value }) =>
      typeof value === 'bigint' ? Number(value) : value,
    );
  }
}

function ordered(a: unknown, b: unknown, operator: string): boolean {
  if ((typeof a !== 'number' || typeof b !== 'number') && (typeof a !== 'string' || typeof b !== 'string'))
    return false;
  switch (operator) {
    case '<':
      return a < b;
    case '<=':
      return a <= b;
    case '>':
      return a > b;
    default:
      return a >= b;
  }
}

/** `last-success-timestamp` is the field LastSuccessTimestamp in Go; initialisms are written in capitals there. */
function goName(name: string): string {
  return name
    .split(/[^A-Za-z0-9]+/)
    .map((word) =>
      /^(id|ip|ips|uid|uuid|url|cpu|cpus|cidr|api|dns|http|tcp|udp|ttl)$/.test(word)
        ? word.toUpperCase()
        : word.charAt(0).toUpperCase() + word.slice(1),
    )
    .join('');
}
