import type { Command } from 'commander';
import { endpointKey } from '../../../bpf/layouts/structs.ts';
import { addressArgument } from '../../../cli/addresses.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { formatAddress } from '../../../lib/address.ts';

/** Declares `bpf endpoint delete`. */
export function addBpfEndpointDeleteCommand(command: Command, ctx: Context): void {
  writeFlags(command.argument('<ip>')).action((ip: string, options: WriteOptions) =>
    runBpfEndpointDelete(ip, options, ctx),
  );
}

/** Takes an address off the endpoint map: traffic to it is no longer delivered locally. */
export async function runBpfEndpointDelete(text: string, options: WriteOptions, ctx: Context): Promise<void> {
  const key = endpointKey.encode({ ip: formatAddress(addressArgument(text)) });
  await withRequired(
    ctx,
    'cilium_lxc',
    async (map) => {
      if (!map.lookup(key)) throw new UserError(`Unable to delete endpoint entry: ${text} is not in the map`);
      if (await mayWrite(ctx, `delete the endpoint entry of ${text}`, options)) map.delete(key);
    },
    { write: !options.dryRun, doing: 'deleting contents of map' },
  );
}
