import type { Command } from 'commander';
import { NODES } from '../../../bpf/layouts/nodes.ts';
import { readRequired } from '../../../bpf/maps/records.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Declares `bpf nodeid list`. */
export function addBpfNodeidListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfNodeidList(options, ctx));
}

/** Prints the number that the datapath gives each node's addresses. */
export async function runBpfNodeidList(options: OutputFlag, ctx: Context): Promise<void> {
  const rows = (await readRequired(ctx.globals.bpfRoot, NODES))
    .map(({ key, value }) => ({ ID: value.id, Address: key.ip, ...('spi' in value && { SPI: value.spi }) }))
    .sort((a, b) => a.ID - b.ID || compareNatural(a.Address, b.Address));
  if (options.output !== '') return await printStructs(ctx, rows, options);
  // Releases whose map has no SPI show the numbers in decimal.
  const old = rows.some(({ SPI }) => SPI === undefined);
  await ctx.out.write(
    renderRows(
      ['NODE ID', 'IP ADDRESSES', ...(old ? [] : ['SPI'])],
      rows.map(({ ID, Address, SPI }) =>
        SPI === undefined ? [String(ID), Address] : [`0x${ID.toString(16)}`, Address, String(SPI)],
      ),
    ),
  );
}
