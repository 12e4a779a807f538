import type { Command } from 'commander';
import { NODES } from '../../../bpf/layouts/nodes.ts';
import { readPinned } from '../../../bpf/maps/records.ts';
import { NO_ENTRIES, notice, printStructs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { compareNatural } from '../../../lib/order.ts';
import { rowTable } from '../../../render/text/blocks.ts';

/** Declares `bpf nodeid list`. */
export function addBpfNodeidListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf nodeid list'));
  listVerb(command, ctx, runBpfNodeidList);
}

/** Prints the number that the datapath gives each node's addresses. */
export async function runBpfNodeidList(options: ListFlags, ctx: Context): Promise<void> {
  const entries = await readPinned(ctx.globals.bpfRoot, NODES);
  if (!entries) return await notice(ctx, 'Cannot find node bpf map');
  const rows = entries
    .map(({ key, value }) => ({
      ID: value.id,
      Address: key.ip || '<unknown>',
      ...('spi' in value && { SPI: value.spi }),
    }))
    .sort((a, b) => a.ID - b.ID || compareNatural(a.Address, b.Address));
  if (options.output !== '') return await printStructs(ctx, rows, options);
  if (rows.length === 0) return await ctx.err.write(NO_ENTRIES);
  await printTable(
    ctx,
    options,
    rowTable(
      ['NODE ID', 'IP ADDRESSES', ...(rows.some(({ SPI }) => SPI !== undefined) ? ['SPI'] : [])],
      rows.map(({ ID, Address, SPI }) => [
        `0x${ID.toString(16)}`,
        Address,
        ...(SPI === undefined ? [] : [String(SPI)]),
      ]),
    ),
  );
}
