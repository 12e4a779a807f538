import type { Command } from 'commander';
import { EGRESS4 } from '../../../bpf/layouts/egress.ts';
import { decode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { contains, formatAddress, parsePrefix } from '../../../lib/address.ts';
import { bareGateway, encodeEgressKey, recordedEgress } from './map.ts';

/** Declares `bpf egress get`, which 1.9 had. */
export function addBpfEgressGetCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf egress get 10.244.0.85 203.0.113.9'));
  command
    .argument('<src ip>', 'address of the pod that sends')
    .argument('<dst ip>', 'address that it sends to')
    .action((source: string, destination: string) => runBpfEgressGet(source, destination, ctx));
}

/** Prints the gateway that a packet would take: that of the longest matching destination. */
export async function runBpfEgressGet(source: string, destination: string, ctx: Context): Promise<void> {
  const key = encodeEgressKey(source, `${destination}/32`);
  const found = ctx.globals.archive
    ? await recordedGateway(ctx, source, destination)
    : await pinnedGateway(ctx, key);
  if (found === undefined) throw new UserError(`no egress gateway entry for ${source} -> ${destination}`);
  await ctx.out.write(`${found}\n`);
}

async function pinnedGateway(ctx: Context, key: Buffer): Promise<string | undefined> {
  using map = requirePinned(ctx.globals.bpfRoot, EGRESS4);
  const { value } = requireVariant(map, EGRESS4);
  const raw = map.lookup(key);
  if (!raw) return undefined;
  const { egressIp, gatewayIp } = decode(value, raw);
  return `${gatewayIp} ${egressIp}`;
}

/** That of the longest matching destination, out of the list that an archive has. */
async function recordedGateway(
  ctx: Context,
  source: string,
  destination: string,
): Promise<string | undefined> {
  const [from, to] = [source, `${destination}/32`].map(parsePrefix);
  let best: { length: number; text: string } | undefined;
  for (const { SourceIP, DestCIDR, EgressIP, GatewayIP } of await recordedEgress(ctx)) {
    const range = parsePrefix(DestCIDR);
    if (!from || !to || !range || formatAddress(from) !== SourceIP || !contains(range, to)) continue;
    if (range.length >= (best?.length ?? 0))
      best = { length: range.length, text: `${bareGateway(GatewayIP)} ${EgressIP}` };
  }
  return best?.text;
}
