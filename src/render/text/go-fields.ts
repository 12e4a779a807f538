import { compareBytes } from '../../lib/order.ts';
import { isRecord } from '../../lib/record.ts';
import { isInRelease, NEWEST_RELEASE, type Release } from '../../model/release.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';

/** Follows references to the definition itself. */
export function resolveShape(
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): Shape | undefined {
  let here = shape;
  for (let hops = 0; here?.$ref !== undefined && hops < 32; hops++) {
    here = definitions[here.$ref.slice(here.$ref.lastIndexOf('/') + 1)];
  }
  return here;
}

/** Fields of a struct type in Go's order: those of a release, and others that the value holds. */
export function fieldsOf(
  shape: Shape,
  value: Readonly<Record<string, unknown>>,
  release: Release = NEWEST_RELEASE,
): [string, Shape | undefined][] {
  const declared = Object.entries(shape.properties ?? {}).filter(
    ([name, field]) => Object.hasOwn(value, name) || isInRelease(field['x-versions'], release),
  );
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(shape.properties ?? {}, name));
  return [...declared, ...unknown.map((name): [string, undefined] => [name, undefined])];
}

/** Whether a field is a pointer in Go: to another struct, or to a value that may be left out, or that must be there. */
export function isPointer(
  parent: Shape,
  name: string,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): boolean {
  const type = resolveShape(shape, definitions);
  if (shape?.['x-nullable'] || type?.properties !== undefined) return true;
  const isValue = type?.type !== undefined && type.type !== 'array' && !type.additionalProperties;
  return isValue && parent.required?.includes(name) === true;
}

/** Go's zero value of a type: nil pointers are null, slices and maps are empty. */
export function zeroOf(shape: Shape | undefined, definitions: TypedShape['definitions']): unknown {
  const type = resolveShape(shape, definitions);
  if (shape?.['x-nullable']) return null;
  switch (type?.type) {
    case 'string':
      if (type.format === 'duration') return '0s';
      return type.format === 'date-time' ? '0001-01-01T00:00:00.000Z' : '';
    case 'integer':
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'object':
      return type.additionalProperties && !type.properties ? {} : null;
    default:
      return null;
  }
}

/**
 * A value as Go writes it again after it has read it into its type: fields in their order, without those that are zero,
 * lists that are missing as null, maps by their keys. Fields that the type does not have stay, at the end.
 */
export function asGoWrites(
  value: unknown,
  shape: Shape | undefined,
  definitions: TypedShape['definitions'],
): unknown {
  const type = resolveShape(shape, definitions);
  if (Array.isArray(value)) return value.map((item) => asGoWrites(item, type?.items, definitions));
  if (!isRecord(value) || !type) return value;
  if (!type.properties) {
    const keys = Object.keys(value).toSorted(compareBytes);
    return Object.fromEntries(
      keys.map((key) => [key, asGoWrites(value[key], type.additionalProperties, definitions)]),
    );
  }
  const fields = fieldsOf(type, value).flatMap(([name, field]): [string, unknown][] => {
    const held = value[name];
    const isList = resolveShape(field, definitions)?.type === 'array';
    if (isList) return [[name, held === undefined ? null : asGoWrites(held, field, definitions)]];
    return field && isEmpty(held) ? [] : [[name, asGoWrites(held, field, definitions)]];
  });
  return Object.fromEntries(fields);
}

function isEmpty(value: unknown): boolean {
  if (isRecord(value) && Object.keys(value).length === 0) return true;
  return [undefined, null, '', 0, 0n, false].some((zero) => Object.is(value, zero));
}
