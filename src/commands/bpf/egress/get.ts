import type { Command } from 'commander';
import { EGRESS4 } from '../../../bpf/layouts/egress.ts';
import { decode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { encodeEgressKey } from './map.ts';

/** Declares `bpf egress get`, which 1.9 had. */
export function addBpfEgressGetCommand(command: Command, ctx: Context): void {
  command
    .argument('<src ip>')
    .argument('<dst ip>')
    .action((source: string, destination: string) => runBpfEgressGet(source, destination, ctx));
}

/** Prints the gateway that a packet would take: that of the longest matching destination. */
export async function runBpfEgressGet(source: string, destination: string, ctx: Context): Promise<void> {
  const key = encodeEgressKey(source, `${destination}/32`);
  using map = requirePinned(ctx.globals.bpfRoot, EGRESS4);
  const { value } = requireVariant(map, EGRESS4);
  const raw = map.lookup(key);
  if (!raw) throw new UserError(`no egress gateway entry for ${source} -> ${destination}`);
  const { egressIp, gatewayIp } = decode(value, raw);
  await ctx.out.write(`${gatewayIp} ${egressIp}\n`);
}
