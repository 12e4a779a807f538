import type { Command } from 'commander';
import { vtepKey, vtepValue } from '../../../bpf/layouts/structs.ts';
import { requireLayout } from '../../../bpf/maps/records.ts';
import { ipv4Argument, macArgument, prefixArgument } from '../../../cli/addresses.ts';
import { withRequired } from '../../../cli/bpf/maps.ts';
import { mayWrite, type WriteOptions, writeFlags } from '../../../cli/confirm.ts';
import type { Context } from '../../../context.ts';
import { UserError } from '../../../errors.ts';
import { addressBytes } from '../../../lib/address.ts';

/** Declares `bpf vtep update`. */
export function addBpfVtepUpdateCommand(command: Command, ctx: Context): void {
  writeFlags(
    command.argument('<cidr>').argument('<ip>', 'IPv4 address of the tunnel endpoint').argument('<mac>'),
  ).action((cidr: string, ip: string, mac: string, options: WriteOptions) =>
    runBpfVtepUpdate({ cidr, ip, mac }, options, ctx),
  );
}

/** Writes the tunnel endpoint of an address range outside the cluster. */
export async function runBpfVtepUpdate(
  entry: { cidr: string; ip: string; mac: string },
  options: WriteOptions,
  ctx: Context,
): Promise<void> {
  const key = encodeVtepKey(entry.cidr);
  const ip = ipv4Argument(entry.ip);
  if (!ip) throw new UserError(`Unable to parse IP '${entry.ip}': an IPv4 address is expected`);
  const value = Buffer.alloc(vtepValue.size);
  macArgument(entry.mac).copy(value, 0);
  ip.copy(value, 8);
  await withRequired(
    ctx,
    'cilium_vtep_map',
    async (map) => {
      requireLayout(map, vtepKey, vtepValue);
      if (await mayWrite(ctx, `write the entry ${entry.cidr} => ${entry.ip} ${entry.mac}`, options))
        map.update(key, value);
    },
    { write: !options.dryRun, doing: 'updating contents of map' },
  );
}

/** The map's key is the first address of the range; the length of all ranges is in the agent's configuration. */
export function encodeVtepKey(cidr: string): Buffer {
  const prefix = prefixArgument(cidr);
  if (prefix.family === 4) return addressBytes(prefix);
  throw new UserError(`error parsing cidr ${cidr}: an IPv4 prefix is expected`);
}
