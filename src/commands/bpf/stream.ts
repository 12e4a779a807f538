import type { Context } from '../../context.ts';
import { goJson } from '../../render/json.ts';
import { printStructs } from './dump.ts';

const FLUSH_AT = 1 << 20;

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
  let text = '[';
  let first = true;
  for await (const object of objects) {
    text += `${first ? '' : ','}\n  ${goJson(object, 2).replaceAll('\n', '\n  ')}`;
    first = false;
    if (text.length < FLUSH_AT) continue;
    await ctx.out.write(text);
    text = '';
  }
  await ctx.out.write(`${text}${first ? ']' : '\n]'}\n\n`);
}
