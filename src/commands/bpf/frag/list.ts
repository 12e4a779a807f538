import type { Command } from 'commander';
import { FRAGMENTS4, FRAGMENTS6 } from '../../../bpf/layouts/nat.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { joinHostPort } from '../../../lib/address.ts';
import { compareNatural } from '../../../lib/order.ts';
import { swap16 } from '../../../lib/uint.ts';
import { protocolName } from '../../../model/protocol.ts';
import { rowTable } from '../../../render/text/blocks.ts';

/** Declares `bpf frag list`. */
export function addBpfFragListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf frag list'));
  listVerb(command, ctx, runBpfFragList);
}

/** Prints the datagrams of which a first fragment was seen. */
export async function runBpfFragList(options: ListFlags, ctx: Context): Promise<void> {
  const v4 = await readPinned(ctx.globals.bpfRoot, FRAGMENTS4);
  const v6 = await readPinned(ctx.globals.bpfRoot, FRAGMENTS6);
  if (!v4) await notice(ctx, "IPv4 map doesn't exist, skipping");
  if (!v6) await notice(ctx, "IPv6 map doesn't exist, skipping");
  const rows = [...(v4 ?? []).map(row), ...(v6 ?? []).map(row)].sort(
    (a, b) => compareNatural(a.SourceAddress, b.SourceAddress) || a.ID - b.ID,
  );
  if (options.output !== '') return await printStructs(ctx, rows, { ...options, nil: true });
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  await printTable(
    ctx,
    options,
    rowTable(
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
function row({ key, value }: Fragment) {
  return {
    ID: key.id,
    Proto: key.protocol,
    SourceAddress: `${key.source}:${swap16(value.sourcePort)}`,
    DestAddress: joinHostPort(key.destination, swap16(value.destinationPort)),
  };
}
