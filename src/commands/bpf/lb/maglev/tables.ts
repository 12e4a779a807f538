import { KernelError } from '../../../../bpf/kernel/errors.ts';
import { openMapById } from '../../../../bpf/kernel/objects.ts';
import { openGlobal } from '../../../../bpf/kernel/pins.ts';
import { MAGLEV } from '../../../../bpf/layouts/services.ts';
import { readRecords } from '../../../../bpf/maps/records.ts';
import { addPair, type Pairs } from '../../../../cli/bpf/maps.ts';
import { recordedPairs } from '../../../../cli/bpf/recorded.ts';
import { mapsRelease } from '../../../../cli/bpf/release.ts';
import type { Context } from '../../../../context.ts';
import { UserError } from '../../../../errors.ts';
import { atLeast } from '../../../../model/release.ts';

const OUTER = [
  ['v4', 'cilium_lb4_maglev'],
  ['v6', 'cilium_lb6_maglev'],
] as const;

/** Said where there are no such maps. */
export const NO_MAGLEV = 'no Maglev map is pinned';

/** The titles of both Maglev verbs. */
export const MAGLEV_TITLES = ['SVC ID', 'LOOKUP TABLE'] as const;

/**
 * Look-up tables of the services, or of one; undefined when this node has no Maglev maps at all, which up to 1.15 is an
 * empty table.
 */
export async function maglevPairs(ctx: Context, serviceId?: number): Promise<Pairs | undefined> {
  const pairs: Pairs = new Map();
  const release = await mapsRelease(ctx);
  // In 1.10 the numbers of backends have two bytes; up to 1.11 the key is the service's number alone.
  const wide = atLeast(release, '1.11');
  const named = atLeast(release, '1.12');
  let present = !atLeast(release, '1.16');
  for (const [family, name] of OUTER) {
    using outer = openGlobal(ctx.globals.bpfRoot, name);
    if (!outer) continue;
    present = true;
    for (const { key, value } of await readRecords(outer, MAGLEV)) {
      if (serviceId !== undefined && key.revNatId !== serviceId) continue;
      const table = readTable(value.mapId, wide ? 4 : 2);
      const name = named ? `[${key.revNatId}]/${family}` : String(key.revNatId);
      if (table) addPair(pairs, name, `[${table.join(' ')}]`);
    }
  }
  return present ? pairs : undefined;
}

/** The tables of a service in an archive; undefined where its agent has none at all. */
export async function recordedMaglev(ctx: Context, serviceId: number): Promise<Pairs | undefined> {
  const all = await recordedPairs(ctx, 'bpf lb maglev list', MAGLEV_TITLES[0]).catch((error: unknown) => {
    if (error instanceof UserError && error.message === NO_MAGLEV) return undefined;
    throw error;
  });
  return (
    all &&
    new Map(
      [...all].filter(
        ([key]) => Number(/^\[?(\d+)(?:\]\/v[46])?$/.exec(key)?.[1] ?? Number.NaN) === serviceId,
      ),
    )
  );
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
