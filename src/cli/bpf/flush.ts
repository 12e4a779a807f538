import type { BpfMap } from '../../bpf/kernel/objects.ts';
import { globalPath, openGlobal } from '../../bpf/kernel/pins.ts';
import { flushMap, requireOwnSizes } from '../../bpf/maps/flush.ts';
import type { Context } from '../../context.ts';
import { mayWrite, type WriteOptions } from '../confirm.ts';

/** Asks once for all of the maps that are pinned, then empties each with `flush` and says how many entries went. */
export async function flushTables(
  ctx: Context,
  names: readonly string[],
  sayMissing: (name: string) => Promise<void>,
  options: WriteOptions,
  flush: (map: BpfMap, name: string) => Promise<number> = flushMap,
): Promise<void> {
  const { bpfRoot } = ctx.globals;
  const present: string[] = [];
  for (const name of names) {
    using map = openGlobal(bpfRoot, name, { write: !options.dryRun });
    if (!map) {
      await sayMissing(name);
      continue;
    }
    requireOwnSizes(map);
    present.push(name);
  }
  if (present.length === 0) return;
  if (!(await mayWrite(ctx, `delete all entries of ${present.join(', ')}`, options))) return;
  for (const name of present) {
    using map = openGlobal(bpfRoot, name, { write: true });
    if (map)
      await ctx.out.write(`Flushed ${await flush(map, name)} entries from ${globalPath(bpfRoot, name)}\n`);
  }
}
