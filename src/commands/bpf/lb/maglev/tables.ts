import { KernelError } from '../../../../bpf/kernel/errors.ts';
import { openMapById } from '../../../../bpf/kernel/objects.ts';
import { openGlobal } from '../../../../bpf/kernel/pins.ts';
import { MAGLEV } from '../../../../bpf/layouts/services.ts';
import { readRecords } from '../../../../bpf/maps/records.ts';
import { addPair, type Pairs } from '../../../../cli/bpf/maps.ts';
import type { Context } from '../../../../context.ts';

const OUTER = [
  ['v4', 'cilium_lb4_maglev'],
  ['v6', 'cilium_lb6_maglev'],
] as const;

/** The titles of both Maglev verbs. */
export const MAGLEV_TITLES = ['SVC ID', 'LOOKUP TABLE'] as const;

/** Look-up tables of the services, or of one; undefined when this node has no Maglev maps at all. */
export async function maglevPairs(ctx: Context, serviceId?: number): Promise<Pairs | undefined> {
  const pairs: Pairs = new Map();
  let present = false;
  for (const [family, name] of OUTER) {
    using outer = openGlobal(ctx.globals.bpfRoot, name);
    if (!outer) continue;
    present = true;
    for (const { key, value } of await readRecords(outer, MAGLEV)) {
      if (serviceId !== undefined && key.revNatId !== serviceId) continue;
      const table = readTable(value.mapId);
      if (table) addPair(pairs, `[${key.revNatId}]/${family}`, `[${table.join(' ')}]`);
    }
  }
  return present ? pairs : undefined;
}

/** Backend ids by slot; undefined when the service went away meanwhile. */
function readTable(mapId: number): number[] | undefined {
  try {
    using inner = openMapById(mapId);
    const raw = inner.lookup(Buffer.alloc(4));
    return raw && Array.from({ length: raw.length >> 2 }, (_, i) => raw.readUInt32LE(4 * i));
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
