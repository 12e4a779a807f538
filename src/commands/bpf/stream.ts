import type { Context } from '../../context.ts';
import { goJson } from '../../render/json.ts';
import { printStructs } from './dump.ts';

const CHUNK = 256;

/**
 * Prints objects for `-o …`. JSON goes out as it comes, byte for byte as if it were one value, so that memory does not
 * grow with the map; the other formats need all of it first.
 */
export async function printObjects(
  ctx: Context,
  objects: AsyncIterable<Record<string, unknown>>,
  output: string,
): Promise<void> {
  if (output !== 'json') {
    const all: Record<string, unknown>[] = [];
    for await (const object of objects) all.push(object);
    return await printStructs(ctx, all, { output });
  }
  // Some at a time are rendered as a list, of which the brackets are cut off.
  let chunk: Record<string, unknown>[] = [];
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
