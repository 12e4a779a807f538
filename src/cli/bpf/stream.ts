import type { Context } from '../../context.ts';
import type { PackedEntries } from '../../model/bpf-map.ts';
import type { EntryJson } from '../../render/bpf/entry-json.ts';
import { AsciiWriter, ascii } from '../../render/text/ascii-writer.ts';
import { goJson } from '../../render/text/json.ts';
import { withProgress } from '../progress.ts';
import { printStructs, renderStructs } from './maps.ts';

const CHUNK = 256;
/** Entries per batch of a long dump: few enough for little memory, many enough for large writes. */
export const DUMP_BATCH = 2048;

/** The entries of a map, and how they are shown as JSON. */
export interface JsonEntries {
  batches: AsyncIterable<PackedEntries>;
  json: EntryJson;
  /** Whether an entry is shown. */
  wanted?: ((keys: Buffer, base: number) => boolean) | undefined;
}

/**
 * Prints objects for `-o …`. JSON and YAML go out as they come, byte for byte as if they were one value, so that memory
 * does not grow with the map; the other formats need all of it first.
 */
export async function printObjects(
  ctx: Context,
  objects: AsyncIterable<unknown>,
  output: string,
): Promise<void> {
  if (output === 'yaml') return await printYaml(ctx, objects);
  if (output !== 'json') {
    const all: unknown[] = [];
    for await (const object of objects) all.push(object);
    return await printStructs(ctx, all, { output });
  }
  // Some at a time are rendered as a list, of which the brackets are cut off.
  let chunk: unknown[] = [];
  let lead = '[\n';
  const flush = async () => {
    if (chunk.length === 0) return;
    await ctx.out.write(lead + goJson(chunk, 2).slice(2, -2));
    lead = ',\n';
    chunk = [];
  };
  for await (const object of objects) if (chunk.push(object) >= CHUNK) await flush();
  await flush();
  await ctx.out.write(lead === '[\n' ? '[]\n\n' : '\n]\n\n');
}

/** Each object has a type of its own: keys of IPv4 and of IPv6 are different structs. */
async function printYaml(ctx: Context, objects: AsyncIterable<unknown>): Promise<void> {
  let text = '';
  let empty = true;
  for await (const object of objects) {
    empty = false;
    text += (await renderStructs([object], 'yaml')).slice(0, -1);
    if (text.length < FLUSH_BYTES) continue;
    await ctx.out.write(text);
    text = '';
  }
  await ctx.out.write(empty ? '[]\n\n' : `${text}\n`);
}

const FLUSH_BYTES = 1 << 19;

/**
 * As printObjects, for the entries of conntrack and NAT maps: JSON is written into bytes that are used again, so that
 * the memory of a dump stays the same whatever the size of the maps.
 */
export async function printEntries(
  ctx: Context,
  maps: AsyncIterable<JsonEntries>,
  output: string,
): Promise<void> {
  if (output !== 'json') return await printObjects(ctx, objectsOf(maps, output), output);
  // Of a terminal the entries themselves show how far it is.
  if (ctx.out.isTTY) return await writeEntries(ctx, maps, () => {});
  let written = 0;
  const far = () => `${written} entries written`;
  await withProgress(ctx, far, (told) =>
    writeEntries(told, maps, (more) => {
      written += more;
    }),
  );
}

async function writeEntries(
  ctx: Context,
  maps: AsyncIterable<JsonEntries>,
  onBatch: (entries: number) => void,
): Promise<void> {
  const out = new AsciiWriter(2 * FLUSH_BYTES);
  let lead = OPEN;
  for await (const { batches, wanted, json } of maps)
    for await (const batch of batches) {
      onBatch(batch.count);
      for (let i = 0; i < batch.count; i++) {
        if (wanted?.(batch.keys, i * batch.keySize) === false) continue;
        out.reserve(lead.length);
        out.put(lead);
        json.write(out, batch, i);
        lead = BETWEEN;
        if (out.length >= FLUSH_BYTES) await ctx.out.pass(out.take());
      }
    }
  if (out.length > 0) await ctx.out.pass(out.take());
  await ctx.out.write(lead === OPEN ? '[]\n\n' : '\n]\n\n');
}

const OPEN = ascii('[\n');
const BETWEEN = ascii(',\n');

async function* objectsOf(maps: AsyncIterable<JsonEntries>, output: string): AsyncGenerator<unknown> {
  for await (const { batches, wanted, json } of maps)
    for await (const batch of batches)
      for (let i = 0; i < batch.count; i++)
        if (wanted?.(batch.keys, i * batch.keySize) !== false)
          yield output === 'yaml' ? json.toYaml(batch, i) : json.toObject(batch, i);
}
