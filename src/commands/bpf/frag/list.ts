import type { Command } from 'commander';
import { fragment4, fragment6, fragmentPorts } from '../../../bpf/layouts/structs.ts';
import { unswapped } from '../../../bpf/layouts/texts.ts';
import { readRecords } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs, withGlobal } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { protocolName } from '../../../model/protocol.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Declares `bpf frag list`. */
export function addBpfFragListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfFragList(options, ctx));
}

/** Prints the datagrams of which a first fragment was seen. */
export async function runBpfFragList(options: OutputFlag, ctx: Context): Promise<void> {
  const v4 = await withGlobal(ctx, 'cilium_ipv4_frag_datagrams', async (map) =>
    (await readRecords(map, fragment4, fragmentPorts)).map((entry) => row(entry, false)),
  );
  const v6 = await withGlobal(ctx, 'cilium_ipv6_frag_datagrams', async (map) =>
    (await readRecords(map, fragment6, fragmentPorts)).map((entry) => row(entry, true)),
  );
  if (!v4) await notice(ctx, "IPv4 map doesn't exist, skipping");
  if (!v6) await notice(ctx, "IPv6 map doesn't exist, skipping");
  const rows = [...(v4 ?? []), ...(v6 ?? [])].sort(
    (a, b) => compareNatural(a.SourceAddress, b.SourceAddress) || a.ID - b.ID,
  );
  if (options.output !== '') return await printStructs(ctx, rows, { ...options, nil: true });
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  await ctx.out.write(
    renderRows(
      ['ID', 'PROTO', 'SOURCE ADDRESS:PORT', 'DEST ADDRESS:PORT'],
      rows.map((r) => [String(r.ID), protocolName(r.Proto), r.SourceAddress, r.DestAddress]),
    ),
  );
}

interface Fragment {
  key: { id: number; protocol: number; source: string; destination: string };
  value: { sourcePort: number; destinationPort: number };
}

/** As the reference has it: ports without the swap to host order, brackets only around an IPv6 destination. */
function row({ key, value }: Fragment, brackets: boolean) {
  const destination = brackets ? `[${key.destination}]` : key.destination;
  return {
    ID: key.id,
    Proto: key.protocol,
    SourceAddress: `${key.source}:${unswapped(value.sourcePort)}`,
    DestAddress: `${destination}:${unswapped(value.destinationPort)}`,
  };
}
