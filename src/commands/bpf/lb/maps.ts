import { openGlobal, releaseOfPins } from '../../../bpf/kernel/pins.ts';
import type { Layout } from '../../../bpf/layouts/fields.ts';
import * as s from '../../../bpf/layouts/structs.ts';
import {
  addressText,
  backendText,
  frontendText,
  serviceBackendText,
  serviceKeyText,
  serviceText,
  sourceRangeText,
} from '../../../bpf/layouts/texts.ts';
import { type MapRecord, readRecords } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs } from '../../../cli/bpf/maps.ts';
import type { Context } from '../../../context.ts';
import { atLeast } from '../../../model/release.ts';

type ServiceKey = ReturnType<typeof s.serviceKey4.decode>;
type Service = ReturnType<typeof s.service.decode>;
type Backend = ReturnType<typeof s.backend4.decode>;

/** Entries of a map and of its twin for the other family; none where they are not pinned. */
async function readBoth<K, V>(
  ctx: Context,
  maps: readonly (readonly [name: string, key: Layout<K>, value: Layout<V>])[],
): Promise<MapRecord<K, V>[]> {
  const all: MapRecord<K, V>[] = [];
  for (const [name, key, value] of maps) {
    using map = openGlobal(ctx.globals.bpfRoot, name);
    if (map) all.push(...(await readRecords(map, key, value)));
  }
  return all;
}

function services(ctx: Context): Promise<MapRecord<ServiceKey, Service>[]> {
  return readBoth(ctx, [
    ['cilium_lb4_services_v2', s.serviceKey4, s.service],
    ['cilium_lb6_services_v2', s.serviceKey6, s.service],
  ]);
}

function backends(ctx: Context): Promise<MapRecord<{ backendId: number }, Backend>[]> {
  return readBoth(ctx, [
    ['cilium_lb4_backends_v3', s.backendId, s.backend4],
    ['cilium_lb6_backends_v3', s.backendId, s.backend6],
  ]);
}

/** Agents up to 1.17 keep no protocol in a service's key and print none. */
const hasProtocols = (ctx: Context) => atLeast(releaseOfPins(ctx.globals.bpfRoot), '1.18');

/** Services with their backends. */
export async function servicePairs(ctx: Context): Promise<Pairs> {
  const byId = new Map((await backends(ctx)).map(({ key, value }) => [key.backendId, value]));
  const protocols = hasProtocols(ctx);
  const pairs: Pairs = new Map();
  for (const { key, value } of await services(ctx)) {
    const text =
      key.slot === 0
        ? frontendText(key, value)
        : serviceBackendText(key, value, byId.get(value.word), protocols);
    addPair(pairs, serviceKeyText(key, protocols), text);
  }
  return pairs;
}

export async function frontendPairs(ctx: Context): Promise<Pairs> {
  const protocols = hasProtocols(ctx);
  const pairs: Pairs = new Map();
  for (const { key, value } of await services(ctx))
    addPair(pairs, serviceKeyText(key, protocols), serviceText(value));
  return pairs;
}

export async function backendPairs(ctx: Context): Promise<Pairs> {
  const pairs: Pairs = new Map();
  for (const { key, value } of await backends(ctx)) addPair(pairs, String(key.backendId), backendText(value));
  return pairs;
}

export async function revNatPairs(ctx: Context): Promise<Pairs> {
  const entries = await readBoth<ReturnType<typeof s.revNatKey.decode>, ReturnType<typeof s.revNat4.decode>>(
    ctx,
    [
      ['cilium_lb4_reverse_nat', s.revNatKey, s.revNat4],
      ['cilium_lb6_reverse_nat', s.revNatKey, s.revNat6],
    ],
  );
  const pairs: Pairs = new Map();
  for (const { key, value } of entries) addPair(pairs, String(key.revNatId), addressText(value));
  return pairs;
}

export async function sourceRangePairs(ctx: Context): Promise<Pairs> {
  const entries = await readBoth(ctx, [
    ['cilium_lb4_source_range', s.sourceRange4, s.placeholder],
    ['cilium_lb6_source_range', s.sourceRange6, s.placeholder],
  ]);
  const pairs: Pairs = new Map();
  for (const { key } of entries) addPair(pairs, sourceRangeText(key), '');
  return pairs;
}
