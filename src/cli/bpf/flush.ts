import type { BpfMap } from '../../bpf/kernel/objects.ts';
import { globalPath, openGlobal } from '../../bpf/kernel/pins.ts';
import { flushMap, requireOwnSizes } from '../../bpf/maps/flush.ts';
import { flushConnections } from '../../bpf/maps/flush-connections.ts';
import type { Context } from '../../context.ts';
import { mayWrite, type WriteOptions } from '../confirm.ts';

/**
 * Asks once for all of the maps that are pinned, then empties each and says how many entries went. With `natOf`, which
 * names the NAT map of a table of connections, the translations of the connections go with them. All maps are checked
 * before anything is asked.
 */
export async function flushTables(
  ctx: Context,
  names: readonly string[],
  sayMissing: (name: string) => Promise<void>,
  options: WriteOptions,
  natOf?: (name: string) => string,
): Promise<void> {
  const { bpfRoot } = ctx.globals;
  using opened = new DisposableStack();
  const tables = new Map<string, BpfMap>();
  const nats = new Map<string, BpfMap>();
  const open = (name: string, into: Map<string, BpfMap>): boolean => {
    const map = openGlobal(bpfRoot, name, { write: !options.dryRun });
    if (!map) return false;
    requireOwnSizes(opened.use(map));
    into.set(name, map);
    return true;
  };
  for (const name of names) if (!open(name, tables)) await sayMissing(name);
  if (tables.size === 0) return;
  if (natOf) for (const name of new Set([...tables.keys()].map(natOf))) open(name, nats);
  const translations =
    nats.size === 0 ? '' : ` and the translations of their connections in ${[...nats.keys()].join(', ')}`;
  const what = `delete all entries of ${[...tables.keys()].join(', ')}${translations}`;
  if (!(await mayWrite(ctx, what, options))) return;
  for (const [name, map] of tables) {
    const flushed = natOf ? await flushConnections(map, nats.get(natOf(name))) : await flushMap(map);
    await ctx.out.write(`Flushed ${flushed} entries from ${globalPath(bpfRoot, name)}\n`);
  }
}
