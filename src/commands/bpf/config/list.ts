import type { Command } from 'commander';
import { RUNTIME_CONFIG, RUNTIME_SETTINGS } from '../../../bpf/layouts/metrics.ts';
import { decode, encode } from '../../../bpf/maps/codec.ts';
import { openPinned, requireVariant } from '../../../bpf/maps/records.ts';
import { notice, printStructs } from '../../../cli/bpf/maps.ts';
import { examples } from '../../../cli/flags.ts';
import { type ListFlags, listVerb, printTable } from '../../../cli/list.ts';
import type { Context } from '../../../context.ts';
import { rowTable } from '../../../render/text/blocks.ts';

/** Slots in the order of their names. */
const SLOTS = [1, 0];

/** Declares `bpf config list`. */
export function addBpfConfigListCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf config list', 'cilium bpf config list -o json'));
  listVerb(command, ctx, runBpfConfigList);
}

/** Prints what the agent tells the datapath at run time. */
export async function runBpfConfigList(options: ListFlags, ctx: Context): Promise<void> {
  using map = openPinned(ctx.globals.bpfRoot, RUNTIME_CONFIG);
  if (!map) return await notice(ctx, 'Cannot find config bpf map');
  const { key, value } = requireVariant(map, RUNTIME_CONFIG);
  const rows = SLOTS.map((index) => {
    const raw = map.lookup(encode(key, { index }));
    return { Key: RUNTIME_SETTINGS[index] ?? 'Unknown', Value: raw ? decode(value, raw).value : 0n };
  });
  if (options.output !== '') return await printStructs(ctx, rows, options);
  await printTable(
    ctx,
    options,
    rowTable(
      ['KEY', 'VALUE'],
      rows.map((row) => [row.Key, String(row.Value)]),
    ),
  );
}
