import type { Command } from 'commander';
import { EGRESS4 } from '../../../bpf/layouts/egress.ts';
import type { Struct } from '../../../bpf/layouts/struct.ts';
import { encode } from '../../../bpf/maps/codec.ts';
import { requireAllPinned, requireRoom, requireVariant } from '../../../bpf/maps/records.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { encodeEgressKey, parseIpv4 } from './map.ts';

/** Declares `bpf egress update`, which 1.9 had. */
export function addBpfEgressUpdateCommand(command: Command, ctx: Context): void {
  command.addHelpText(
    'after',
    examples('cilium bpf egress update 10.244.0.85 203.0.113.0/24 172.20.0.12 172.20.0.100 --dry-run'),
  );
  writeFlags(
    command
      .argument('<src ip>', 'address of the pod that sends')
      .argument('<dst cidr>', 'prefix that it sends to')
      .argument('<gateway ip>', 'address of the node that the packets leave by')
      .argument('<egress ip>', 'address that they leave with'),
  ).action((source: string, cidr: string, gateway: string, egress: string, options: WriteOptions) =>
    runBpfEgressUpdate({ source, cidr, gateway, egress }, options, ctx),
  );
}

/** Sends the traffic of a source to a range through a gateway. */
export async function runBpfEgressUpdate(
  entry: { source: string; cidr: string; gateway: string; egress: string },
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeEgressKey(entry.source, entry.cidr);
  const egressIp = parseIpv4(entry.egress);
  const gatewayIp = parseIpv4(entry.gateway);
  using maps = new DisposableStack();
  const writes = requireAllPinned(ctx.globals.bpfRoot, EGRESS4, {
    write: !options.dryRun,
    doing: 'updating contents of map',
  }).map((map) => {
    maps.use(map);
    return { map, value: encode<Struct>(requireVariant(map, EGRESS4).value, { egressIp, gatewayIp }) };
  });
  for (const { map } of writes) await requireRoom(map, [key]);
  const what = `send ${entry.source} -> ${entry.cidr} through ${entry.gateway} as ${entry.egress}`;
  if (!(await mayWrite(ctx, what, options))) return;
  for (const { map, value } of writes) map.update(key, value);
}
