import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { walk } from '../../../bpf/kernel/reader.ts';
import { IPCACHE, IPCACHE_STATIC_BITS, ipcacheKey } from '../../../bpf/layouts/ipcache.ts';
import { decode, encode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import type { Pairs } from '../../../cli/bpf/maps.ts';
import { recordedPairs } from '../../../cli/bpf/recorded.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { type AddressRange, formatAddress } from '../../../lib/address.ts';
import { ipcacheText } from '../../../render/bpf/ipcache.ts';

/** Prefixes and values of the map of an archive, in words. Those of other clusters have their number behind an @. */
export function recordedIpcache(ctx: Context): Promise<Pairs> {
  return recordedPairs(ctx, 'bpf ipcache list', 'IP PREFIX/ADDRESS');
}

/** Whether the map has no entry at all, which the reference says in other words. */
export async function isEmpty(ctx: Context): Promise<boolean> {
  if (ctx.globals.archive) return (await recordedIpcache(ctx)).size === 0;
  using map = requirePinned(ctx.globals.bpfRoot, IPCACHE);
  for await (const { count } of walk(map)) if (count > 0) return false;
  return true;
}

/** The value of an entry in words. */
export async function ipcacheValueText(ctx: Context, map: BpfMap, raw: Buffer): Promise<string> {
  const release = await mapsRelease(ctx, IPCACHE);
  return ipcacheText(decode(requireVariant(map, IPCACHE, release).value, raw), release);
}

type IpcacheKey = (typeof IPCACHE)['variants'][number]['key'];

/** The key of a prefix. Without a cluster it is the same in all releases. */
export function encodeIpcacheKey(
  prefix: AddressRange,
  clusterId = 0,
  layout: IpcacheKey = ipcacheKey,
): Buffer {
  if (clusterId >= 256 ** layout.fields.clusterId.size)
    throw new UserError(
      `the numbers of this agent's clusters have one byte: there is no cluster ${clusterId}`,
    );
  return encode(layout, {
    prefixLength: IPCACHE_STATIC_BITS + prefix.length,
    clusterId,
    ip: formatAddress(prefix),
  });
}
