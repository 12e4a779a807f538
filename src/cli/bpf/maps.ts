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

/** Prints rows for `-o …`: Go's nil slice is null in JSON and an empty list in YAML. */
export async function printStructs(
  ctx: Context,
  rows: readonly unknown[],
  { output, nil = false }: OutputFlag & { nil?: boolean },
): Promise<void> {
  const value = nil && rows.length === 0 && output === 'json' ? null : rows;
  await ctx.out.write(await renderOutput(value, output, { type: async () => typeOf(rows) }));
}

/** Prints one struct for `-o …`. */
export async function printStruct(
  ctx: Context,
  value: Record<string, unknown>,
  { output }: OutputFlag,
): Promise<void> {
  await ctx.out.write(await renderOutput(value, output, { type: async () => typeOf(value) }));
}

/** The Go type of a value made of structs, derived from the value: it gives `-o yaml` the order of the fields. */
function typeOf(value: unknown): TypedShape {
  return { shape: shapeOf(value), definitions: {} };
}

function shapeOf(value: unknown): Shape {
  if (Array.isArray(value)) return { type: 'array', items: shapeOf(value[0]) };
  if (typeof value !== 'object' || value === null) return {};
  const properties = Object.fromEntries(Object.entries(value).map(([name, field]) => [name, shapeOf(field)]));
  return { type: 'object', properties };
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
