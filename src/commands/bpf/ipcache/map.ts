import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { openGlobal } from '../../../bpf/kernel/pins.ts';
import { ipcacheKey, remoteEndpoint, remoteEndpoint117 } from '../../../bpf/layouts/structs.ts';
import { ipcacheKeyText, ipcacheText, ipcacheText117 } from '../../../bpf/layouts/texts.ts';
import { fits, readRecords, requireLayout } from '../../../bpf/maps/records.ts';
import { addPair, type Pairs, withRequired } from '../../../cli/bpf/maps.ts';
import type { Context } from '../../../context.ts';
import { type AddressRange, formatAddress } from '../../../lib/address.ts';

const NEW = 'cilium_ipcache_v2';
const OLD = 'cilium_ipcache';
const STATIC_BITS = 32;

/** Runs `work` on the map that the running agent uses: agents up to 1.17 have another name and layout. */
export async function withIpcache<T>(
  ctx: Context,
  work: (map: BpfMap) => Promise<T> | T,
  options: { write?: boolean } = {},
): Promise<T> {
  using newer = openGlobal(ctx.globals.bpfRoot, NEW);
  using older = newer ? undefined : openGlobal(ctx.globals.bpfRoot, OLD);
  return await withRequired(ctx, older ? OLD : NEW, work, options);
}

/** The value of an entry in words. */
export function ipcacheValueText(map: BpfMap, raw: Buffer): string {
  if (fits(map, ipcacheKey, remoteEndpoint117)) return ipcacheText117(remoteEndpoint117.decode(raw));
  requireLayout(map, ipcacheKey, remoteEndpoint);
  return ipcacheText(remoteEndpoint.decode(raw));
}

/** All entries in words, by prefix. */
export async function readIpcachePairs(ctx: Context): Promise<Pairs> {
  const pairs: Pairs = new Map();
  await withIpcache(ctx, async (map) => {
    if (fits(map, ipcacheKey, remoteEndpoint117)) {
      for (const { key, value } of await readRecords(map, ipcacheKey, remoteEndpoint117))
        addPair(pairs, ipcacheKeyText(key), ipcacheText117(value));
      return;
    }
    for (const { key, value } of await readRecords(map, ipcacheKey, remoteEndpoint))
      addPair(pairs, ipcacheKeyText(key), ipcacheText(value));
  });
  return pairs;
}

/** The key of a prefix. */
export function encodeIpcacheKey(prefix: AddressRange, clusterId = 0): Buffer {
  return ipcacheKey.encode({
    prefixLength: STATIC_BITS + prefix.length,
    clusterId,
    ip: formatAddress(prefix),
  });
}
