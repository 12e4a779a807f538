import type { Command } from 'commander';
import { RUNTIME_CONFIG, RUNTIME_SETTINGS } from '../../../bpf/layouts/metrics.ts';
import { decode, encode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import { printStructs } from '../../../cli/bpf/maps.ts';
import { type OutputFlag, outputOption } from '../../../cli/output.ts';
import type { Context } from '../../../context.ts';
import { renderRows } from '../../../render/bpf/tables.ts';

/** Slots in the order of their names. */
const SLOTS = [1, 0];

/** Declares `bpf config list`. */
export function addBpfConfigListCommand(command: Command, ctx: Context): void {
  command.addOption(outputOption()).action((options: OutputFlag) => runBpfConfigList(options, ctx));
}

/** Prints what the agent tells the datapath at run time. */
export async function runBpfConfigList(options: OutputFlag, ctx: Context): Promise<void> {
  using map = requirePinned(ctx.globals.bpfRoot, RUNTIME_CONFIG);
  const { key, value } = requireVariant(map, RUNTIME_CONFIG);
  const rows = SLOTS.map((index) => {
    const raw = map.lookup(encode(key, { index }));
    return { Key: RUNTIME_SETTINGS[index] ?? 'Unknown', Value: raw ? decode(value, raw).value : 0n };
  });
  if (options.output !== '') return await printStructs(ctx, rows, options);
  await ctx.out.write(
    renderRows(
      ['KEY', 'VALUE'],
      rows.map((row) => [row.Key, String(row.Value)]),
    ),
  );
}
