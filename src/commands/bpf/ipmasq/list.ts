import type { Command } from 'commander';
import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { readAll } from '../../../bpf/kernel/reader.ts';
import { prefix4, prefix6 } from '../../../bpf/layouts/common.ts';
import { IPMASQ4, IPMASQ6 } from '../../../bpf/layouts/nat.ts';
import { decode } from '../../../bpf/maps/codec.ts';
import { openPinned, unknownSizes } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, printStructs, printTexts } from '../../../cli/bpf/maps.ts';
import { mapsRelease } from '../../../cli/bpf/release.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { atLeast } from '../../../model/release.ts';
import { prefixText } from '../../../render/bpf/parts.ts';
import { pairTable } from '../../../render/bpf/tables.ts';

/** Declares `bpf ipmasq list`. */
export function addBpfIpmasqListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf ipmasq list'));
  listVerb(command, ctx, runBpfIpmasqList);
}

/** Prints the destinations that are reached without masquerading. */
export async function runBpfIpmasqList(options: ListFlags, ctx: Context): Promise<void> {
  using v4 = openPinned(ctx.globals.bpfRoot, IPMASQ4);
  using v6 = openPinned(ctx.globals.bpfRoot, IPMASQ6);
  const all = [...(await prefixes(v4, prefix4)), ...(await prefixes(v6, prefix6))].sort(compareNatural);
  if (options.output !== '') {
    // Up to 1.16 prefixes are Go's own pairs of address and mask.
    const old = !atLeast(await mapsRelease(ctx), '1.17-dev');
    return old
      ? await printStructs(ctx, all.map(addressAndMask), options)
      : await printTexts(ctx, all, options);
  }
  if (all.length === 0) return await ctx.err.write(NO_ENTRIES);
  const pairs = all.map((cidr) => [cidr, ['']] as const);
  await printTable(ctx, options, pairTable(['IP PREFIX/ADDRESS', ''], pairs));
}

function addressAndMask(cidr: string): { IP: string; Mask: string } {
  const [ip = '', length] = cidr.split('/');
  const mask = Buffer.alloc(ip.includes(':') ? 16 : 4);
  for (let bit = 0; bit < Number(length); bit++) mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return { IP: ip, Mask: mask.toString('base64') };
}

/** Prefixes of a map; releases disagree about the size of its placeholder values. */
async function prefixes(map: BpfMap | undefined, key: typeof prefix4 | typeof prefix6): Promise<string[]> {
  if (map && map.info.keySize !== key.size) throw unknownSizes(map);
  const entries = map ? await readAll(map) : [];
  return entries.map((entry) => {
    const { ip, prefixLength } = decode(key, entry.key);
    return prefixText(ip, prefixLength);
  });
}
