import type { Command } from 'commander';
import { ENDPOINTS, endpointKey } from '../../../bpf/layouts/endpoints.ts';
import { encode } from '../../../bpf/maps/codec.ts';
import { requirePinned, requireVariant } from '../../../bpf/maps/records.ts';
import { addressArgument } from '../../../cli/addresses.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import { examples } from '../../../cli/flags.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';

/** Declares `bpf endpoint delete`. */
export function addBpfEndpointDeleteCommand(command: Command, ctx: Context): void {
  command.addHelpText('after', examples('cilium bpf endpoint delete 10.244.0.85 --dry-run'));
  writeFlags(command.argument('<ip>', 'address of the endpoint')).action(
    (ip: string, options: WriteOptions) => runBpfEndpointDelete(ip, options, ctx),
  );
}

/** Takes an address off the endpoint map: traffic to it is no longer delivered locally. */
export async function runBpfEndpointDelete(text: string, options: WriteOptions, ctx: Context): Promise<void> {
  const key = encode(endpointKey, { ip: formatAddress(addressArgument(text)) });
  using map = requirePinned(ctx.globals.bpfRoot, ENDPOINTS, {
    write: !options.dryRun,
    doing: 'deleting contents of map',
  });
  requireVariant(map, ENDPOINTS);
  if (!map.lookup(key)) throw new UserError(`Unable to delete endpoint entry: ${text} is not in the map`);
  if (await mayWrite(ctx, `delete the endpoint entry of ${text}`, options)) map.delete(key);
}
