import { KernelError } from '../../../../bpf/kernel/errors.ts';
import { openMapById } from '../../../../bpf/kernel/objects.ts';
import { openGlobal } from '../../../../bpf/kernel/pins.ts';
import { MAGLEV } from '../../../../bpf/layouts/services.ts';
import { readRecords } from '../../../../bpf/maps/records.ts';
import { addPair, type Pairs } from '../../../../cli/bpf/maps.ts';
import { recordedPairs } from '../../../../cli/bpf/recorded.ts';
import { mapsRelease } from '../../../../cli/bpf/release.ts';
import type { Context } from '../../../../context.ts';
import { atLeast } from '../../../../model/release.ts';

const OUTER = [
  ['v4', 'cilium_lb4_maglev'],
  ['v6', 'cilium_lb6_maglev'],
] as const;

/** The titles of both Maglev verbs. */
export const MAGLEV_TITLES = ['SVC ID', 'LOOKUP TABLE'] as const;

/** Look-up tables of the services, or of one; none where the node has no Maglev maps at all. */
export async function maglevPairs(ctx: Context, serviceId?: number): Promise<Pairs> {
  const pairs: Pairs = new Map();
  const release = await mapsRelease(ctx);
  // In 1.10 the numbers of backends have two bytes; up to 1.11 the key is the service's number alone.
  const wide = atLeast(release, '1.11');
  const named = atLeast(release, '1.12');
  for (const [family, name] of OUTER) {
    using outer = openGlobal(ctx.globals.bpfRoot, name);
    if (!outer) continue;
    for (const { key, value } of await readRecords(outer, MAGLEV)) {
      if (serviceId !== undefined && key.revNatId !== serviceId) continue;
      const table = readTable(value.mapId, wide ? 4 : 2);
      const name = named ? `[${key.revNatId}]/${family}` : String(key.revNatId);
      if (table) addPair(pairs, name, `[${table.join(' ')}]`);
    }
  }
  return pairs;
}

/** The tables of a service in an archive. */
export async function recordedMaglev(ctx: Context, serviceId: number): Promise<Pairs> {
  const all = await recordedPairs(ctx, 'bpf lb maglev list', MAGLEV_TITLES[0]);
  const isOf = (key: string) => Number(/^\[?(\d+)(?:\]\/v[46])?$/.exec(key)?.[1] ?? Number.NaN) === serviceId;
  return new Map([...all].filter(([key]) => isOf(key)));
}

/** Backend ids by slot; undefined when the service went away meanwhile. */
function readTable(mapId: number, size: 2 | 4): number[] | undefined {
  try {
    using inner = openMapById(mapId);
    const raw = inner.lookup(Buffer.alloc(4));
    return (
      raw && Array.from({ length: Math.floor(raw.length / size) }, (_, i) => raw.readUIntLE(size * i, size))
    );
  } catch (error) {
    if (error instanceof KernelError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
