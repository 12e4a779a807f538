import { goFloat } from '../../lib/go-float.ts';
import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import type { Release } from '../../model/release.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';
import { fieldsOf, isPointer, resolveShape, zeroOf } from './go-fields.ts';
import { goValue } from './go-value.ts';

/**
 * A struct as Go's `%v` prints a pointer to it: `{200 [a b] <nil>}`. Undefined for what is no struct, and where addresses
 * of memory would stand in it: those of fields that are pointers, and not nil.
 */
export function goStruct(
  value: unknown,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
  release?: Release,
): string | undefined {
  const type = resolveShape(shape, definitions);
  if (!type?.properties || !isRecord(value)) return undefined;
  const fields = fieldsOf(type, value, release).map(([name, field]) => {
    if (!isPointer(type, name, field, definitions)) return partText(value[name], field, definitions);
    return value[name] === undefined || value[name] === null ? '<nil>' : undefined;
  });
  return fields.includes(undefined) ? undefined : `{${fields.join(' ')}}`;
}

/** What is no pointer, or part of it; undefined where it holds an address. */
function partText(
  held: unknown,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): string | undefined {
  const type = resolveShape(shape, definitions);
  if (type?.properties) return undefined;
  const value = held ?? zeroOf(shape, definitions);
  if (Array.isArray(value)) return joined(value, (item) => partText(item, type?.items, definitions));
  if (isRecord(value) && type?.additionalProperties) {
    const keys = Object.keys(value).toSorted(compareBytes);
    const entries = joined(keys, (key) => {
      const entry = partText(value[key], type.additionalProperties, definitions);
      return entry === undefined ? undefined : `${key}:${entry}`;
    });
    return entries === undefined ? undefined : `map${entries}`;
  }
  return typeof value === 'number' && type?.type === 'number' ? goFloat(value) : goValue(value);
}

function joined<T>(items: readonly T[], textOf: (item: T) => string | undefined): string | undefined {
  const texts = items.map(textOf);
  return texts.includes(undefined) ? undefined : `[${texts.join(' ')}]`;
}
