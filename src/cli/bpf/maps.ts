import { KernelError } from '../../bpf/kernel/errors.ts';
import { isMissing } from '../../bpf/kernel/pins.ts';
import type { Context } from '../../context.ts';
import { UserError } from '../../errors.ts';
import { compareNatural } from '../../lib/order.ts';
import type { Shape, TypedShape } from '../../model/shape.ts';
import { pairTable } from '../../render/bpf/tables.ts';
import { renderOutput } from '../../render/text/output.ts';
import { type ListFlags, printTable } from '../list.ts';
import type { OutputFlag } from '../output.ts';

/** Values of a map by key, as the reference's map dumps hold them. */
export type Pairs = Map<string, string[]>;

/** Adds a value to those of a key. */
export function addPair(pairs: Pairs, key: string, value: string): void {
  const values = pairs.get(key);
  if (values) values.push(value);
  else pairs.set(key, [value]);
}

/**
 * Prints pairs: sorted, numbers as numbers, where the reference has the order of a Go map. With `quietWhenEmpty` the
 * header stands alone when there is nothing; else a line on stderr says so.
 */
export async function printPairs(
  ctx: Context,
  titles: readonly [string, string],
  pairs: Pairs,
  { quietWhenEmpty = false, ...flags }: ListFlags & { quietWhenEmpty?: boolean },
): Promise<void> {
  const { output } = flags;
  if (output !== '') {
    const keys = [...pairs.keys()].sort();
    const value = Object.fromEntries(keys.map((key) => [key, pairs.get(key)]));
    return await ctx.out.write(await renderOutput(value, output));
  }
  if (pairs.size === 0 && !quietWhenEmpty) return await ctx.err.write(NO_ENTRIES);
  const sorted = [...pairs].sort(([a], [b]) => compareNatural(a, b));
  await printTable(ctx, flags, pairTable(titles, sorted));
}

export const NO_ENTRIES = 'No entries found.\n';

/** An address or a prefix: a struct in Go that is written as a text. */
export const TEXT: Shape = { type: 'string', 'x-by-value': true };
/** A point in time, which YAML writes without quotes. */
export const TIME: Shape = { ...TEXT, format: 'time' };

interface StructFlags extends OutputFlag {
  /** Go's nil slice: an empty list in YAML alone, null elsewhere. */
  nil?: boolean;
  /** The rows are pointers in Go. */
  pointers?: boolean;
  /** Types of fields that their values do not tell. */
  fields?: Readonly<Record<string, Shape>>;
}

/** Prints rows for `-o …`. All have the type of the first. */
export async function printStructs(
  ctx: Context,
  rows: readonly unknown[],
  { output, nil = false, ...flags }: StructFlags,
): Promise<void> {
  const isNil = nil && rows.length === 0 && output !== 'yaml';
  await ctx.out.write(isNil ? await renderOutput(null, output) : await renderStructs(rows, output, flags));
}

/** The same as text. */
export async function renderStructs(
  rows: readonly unknown[],
  output: string,
  { pointers = false, fields = {} }: Pick<StructFlags, 'pointers' | 'fields'> = {},
): Promise<string> {
  const items = { ...shapeOf(rows[0], fields), 'x-by-value': !pointers };
  return await renderOutput(rows, output, { type: async () => listOf(items) });
}

/** Prints texts that are structs in Go for `-o …`. */
export async function printTexts(
  ctx: Context,
  texts: readonly string[],
  { output }: OutputFlag,
): Promise<void> {
  await ctx.out.write(await renderOutput(texts, output, { type: async () => listOf(TEXT) }));
}

function listOf(items: Shape): TypedShape {
  return { shape: { type: 'array', items }, definitions: {} };
}

/** Prints what one pointer to a struct points to, for `-o …`. */
export async function printStruct(
  ctx: Context,
  value: Record<string, unknown>,
  { output, fields = {} }: Pick<StructFlags, 'output' | 'fields'>,
): Promise<void> {
  const type = async () => ({ shape: shapeOf(value, fields), definitions: {} });
  await ctx.out.write(await renderOutput(value, output, { type }));
}

/** The Go type of a value made of structs, derived from the value: it gives `-o yaml` the order of the fields. */
function shapeOf(value: unknown, fields: NonNullable<StructFlags['fields']>): Shape {
  if (Array.isArray(value)) return { type: 'array', items: held(value[0]) };
  if (typeof value !== 'object' || value === null) return {};
  const properties = Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, fields[name] ?? held(field)]),
  );
  return { type: 'object', properties };

  function held(part: unknown): Shape {
    const shape = shapeOf(part, fields);
    return shape.properties ? { ...shape, 'x-by-value': true } : shape;
  }
}

/** Says on stderr that a feature's maps are not there, as the reference does, with exit code 0. */
export async function notice(ctx: Context, text: string): Promise<void> {
  await ctx.err.write(`${text}\n`);
}

/** Fails for a map that is missing, in the reference's words; other failures pass through. */
export function failedToOpen(error: unknown): never {
  if (isMissing(error))
    throw new UserError('Failed to open map: no such file or directory', {
      hint: '"cilium bpf maps list" shows the maps that are there.',
      cause: error,
    });
  if (error instanceof KernelError)
    throw new UserError(`Failed to open map: ${error.message}`, { cause: error });
  throw error;
}
