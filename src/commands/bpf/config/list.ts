import type { Command } from 'commander';
import { runtimeConfigName } from '../../../bpf/layouts/names.ts';
import { index32, value64 } from '../../../bpf/layouts/structs.ts';
import { requireLayout } from '../../../bpf/maps/records.ts';
import { printStructs, withRequired } from '../../../cli/bpf/maps.ts';
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
  const rows = await withRequired(ctx, 'cilium_runtime_config', (map) => {
    requireLayout(map, index32, value64);
    return SLOTS.map((index) => {
      const key = Buffer.alloc(index32.size);
      key.writeUInt32LE(index);
      const raw = map.lookup(key);
      return { Key: runtimeConfigName(index), Value: raw ? value64.decode(raw).value : 0n };
    });
  });
  if (options.output !== '') return await printStructs(ctx, rows, options);
  await ctx.out.write(
    renderRows(
      ['KEY', 'VALUE'],
      rows.map((row) => [row.Key, String(row.Value)]),
    ),
  );
}
