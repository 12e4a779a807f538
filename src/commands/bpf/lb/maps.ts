import type { MapLayout, Variant } from '../../../bpf/layouts/map-layout.ts';
import {
  BACKENDS4,
  BACKENDS6,
  REV_NAT4,
  REV_NAT6,
  SERVICES4,
  SERVICES6,
  SOURCE_RANGES4,
  SOURCE_RANGES6,
} from '../../../bpf/layouts/services.ts';
import { type MapRecord, readPinned } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import type { Context } from '../../../context.ts';
import {
  addressText,
  backendText,
  frontendText,
  serviceBackendText,
  serviceKeyText,
  serviceText,
  sourceRangeText,
} from '../../../render/bpf/services.ts';

/** Entries of the maps of both families; none where they are not pinned. */
async function readBoth<A extends Variant, B extends Variant>(
  ctx: Context,
  v4: MapLayout<A>,
  v6: MapLayout<B>,
): Promise<(MapRecord<A> | MapRecord<B>)[]> {
  const { bpfRoot } = ctx.globals;
  return [...((await readPinned(bpfRoot, v4)) ?? []), ...((await readPinned(bpfRoot, v6)) ?? [])];
}

/** Services with their backends. */
export async function servicePairs(ctx: Context): Promise<Pairs> {
  const backends = await readBoth(ctx, BACKENDS4, BACKENDS6);
  const byId = new Map(backends.map(({ key, value }) => [key.backendId, value]));
  const release = await mapsRelease(ctx);
  const pairs: Pairs = new Map();
  for (const { key, value } of await readServices(ctx)) {
    const text =
      key.slot === 0
        ? frontendText(key, value, release)
        : serviceBackendText(key, value, byId.get(value.word), release);
    addPair(pairs, serviceKeyText(key, release), text);
  }
  return pairs;
}

/** The raw entries of the services. */
export async function frontendPairs(ctx: Context): Promise<Pairs> {
  const release = await mapsRelease(ctx);
  const pairs: Pairs = new Map();
  for (const { key, value } of await readServices(ctx))
    addPair(pairs, serviceKeyText(key, release), serviceText(value, release));
  return pairs;
}

/** The entries of one service stand below each other, by slot, where the key does not tell the slot. */
async function readServices(ctx: Context) {
  const services = await readBoth(ctx, SERVICES4, SERVICES6);
  return services.sort((a, b) => a.key.slot - b.key.slot);
}

/** Backends by their number. */
export async function backendPairs(ctx: Context): Promise<Pairs> {
  const release = await mapsRelease(ctx);
  const pairs: Pairs = new Map();
  for (const { key, value } of await readBoth(ctx, BACKENDS4, BACKENDS6))
    addPair(pairs, String(key.backendId), backendText(value, release));
  return pairs;
}

/** Frontends by the number that replies carry. */
export async function revNatPairs(ctx: Context): Promise<Pairs> {
  const pairs: Pairs = new Map();
  for (const { key, value } of await readBoth(ctx, REV_NAT4, REV_NAT6))
    addPair(pairs, String(key.revNatId), addressText(value));
  return pairs;
}

/** Who may call which service. */
export async function sourceRangePairs(ctx: Context): Promise<Pairs> {
  const pairs: Pairs = new Map();
  for (const { key } of await readBoth(ctx, SOURCE_RANGES4, SOURCE_RANGES6))
    addPair(pairs, sourceRangeText(key), '');
  return pairs;
}
