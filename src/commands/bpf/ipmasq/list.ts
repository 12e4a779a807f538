import type { Command } from 'commander';
import type { BpfMap } from '../../../bpf/kernel/objects.ts';
import { entriesOf, walk } from '../../../bpf/kernel/reader.ts';
import { prefix4, prefix6 } from '../../../bpf/layouts/structs.ts';
import { NO_ENTRIES, withGlobal } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { renderPairs } from '../../../render/bpf/tables.ts';
import { renderOutput } from '../../../render/text/output.ts';

/** Declares `bpf ipmasq list`. */
export function addBpfIpmasqListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfIpmasqList(options, ctx));
}

/** Prints the destinations that are reached without masquerading. */
export async function runBpfIpmasqList(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await withGlobal(ctx, 'cilium_ipmasq_v4', (map) => prefixes(map, prefix4));
  const v6 = await withGlobal(ctx, 'cilium_ipmasq_v6', (map) => prefixes(map, prefix6));
  const all = [...(v4 ?? []), ...(v6 ?? [])].sort(compareNatural);
  if (options.output !== '') return await ctx.out.write(await renderOutput(all, options.output));
  if (all.length === 0) return await ctx.err.write(NO_ENTRIES);
  await ctx.out.write(
    renderPairs(
      ['IP PREFIX/ADDRESS', ''],
      all.map((cidr) => [cidr, ['']]),
    ),
  );
}

/** Prefixes of a map; releases disagree about the size of its placeholder values. */
async function prefixes(map: BpfMap, layout: typeof prefix4 | typeof prefix6): Promise<string[]> {
  const found: string[] = [];
  for await (const batch of walk(map))
    for (const { key } of entriesOf(batch)) {
      const { ip, prefixLength } = layout.decode(key);
      found.push(`${ip}/${prefixLength}`);
    }
  return found;
}
